package io.github.sgpt4j.weightstools;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;

/// The order in which transformers (since version 5) visits a model's tensors: by the parts between
/// dots, numbers by value and before words, digits at the end of a word by value too.
final class NaturalOrder implements Comparator<String> {
    static final NaturalOrder INSTANCE = new NaturalOrder();

    /// The name of the output head in GPT-NeoX files, and its name in transformers while sorting.
    private static final String OLD_HEAD = "embed_out.weight";

    private static final String HEAD = "lm_head.weight";

    private NaturalOrder() {}

    /// A part: its word (empty for a number) and the digits after it (empty if there are none).
    private record Piece(String word, String digits) {
        static Piece of(String text) {
            int end = text.length();
            while (end > 0 && text.charAt(end - 1) >= '0' && text.charAt(end - 1) <= '9') {
                end--;
            }
            return new Piece(text.substring(0, end), text.substring(end));
        }

        private static String withoutZeros(String digits) {
            int start = 0;
            while (start < digits.length() && digits.charAt(start) == '0') {
                start++;
            }
            return digits.substring(start);
        }

        boolean isNumber() {
            return word.isEmpty() && !digits.isEmpty();
        }

        int compare(Piece other) {
            if (isNumber() != other.isNumber()) {
                return isNumber() ? -1 : 1;
            }
            int words = word.compareTo(other.word);
            if (words != 0 || digits.isEmpty() || other.digits.isEmpty()) {
                return words != 0 ? words : Boolean.compare(!digits.isEmpty(), !other.digits.isEmpty());
            }
            String value = withoutZeros(digits);
            String otherValue = withoutZeros(other.digits);
            int lengths = Integer.compare(value.length(), otherValue.length());
            return lengths != 0 ? lengths : value.compareTo(otherValue);
        }
    }

    /// A name with its parts, to sort many names.
    private record Key(String name, List<Piece> pieces) implements Comparable<Key> {
        static Key of(String name) {
            String renamed = name.equals(OLD_HEAD) ? HEAD : name;
            List<Piece> pieces = new ArrayList<>();
            int start = 0;
            for (int dot = renamed.indexOf('.'); dot >= 0; dot = renamed.indexOf('.', start)) {
                pieces.add(Piece.of(renamed.substring(start, dot)));
                start = dot + 1;
            }
            pieces.add(Piece.of(renamed.substring(start)));
            return new Key(name, pieces);
        }

        @Override
        public int compareTo(Key other) {
            for (int i = 0; i < Math.min(pieces.size(), other.pieces.size()); i++) {
                int order = pieces.get(i).compare(other.pieces.get(i));
                if (order != 0) {
                    return order;
                }
            }
            return pieces.size() == other.pieces.size()
                    ? name.compareTo(other.name)
                    : Integer.compare(pieces.size(), other.pieces.size());
        }
    }

    @Override
    public int compare(String left, String right) {
        return Key.of(left).compareTo(Key.of(right));
    }

    /// Elements in the order of their names, with each name parsed once.
    static <T> List<T> sorted(List<T> things, Function<T, String> name) {
        record Keyed<T>(Key key, T thing) {}
        List<Keyed<T>> keyed = new ArrayList<>(things.size());
        for (T thing : things) {
            keyed.add(new Keyed<>(Key.of(name.apply(thing)), thing));
        }
        keyed.sort(Comparator.comparing(Keyed::key));
        List<T> sorted = new ArrayList<>(things.size());
        for (Keyed<T> each : keyed) {
            sorted.add(each.thing());
        }
        return sorted;
    }
}
