package io.github.sgpt4j.weightstools;

import java.util.Comparator;

/// The order in which transformers (since version 5) goes through a model's tensors: by the parts between dots, numbers
/// by value and before words, digits at the end of a word by value too.
final class NaturalOrder implements Comparator<String> {
    static final NaturalOrder INSTANCE = new NaturalOrder();

    /// What GPT-NeoX files call the output head, and what transformers calls it while it sorts.
    private static final String OLD_HEAD = "embed_out.weight";

    private static final String HEAD = "lm_head.weight";

    private NaturalOrder() {}

    /// A part: its word (empty if it is a number) and the digits behind (empty if there are none).
    private record Piece(String word, String digits) {
        static Piece of(String text) {
            int end = text.length();
            while (end > 0 && text.charAt(end - 1) >= '0' && text.charAt(end - 1) <= '9') {
                end--;
            }
            return new Piece(text.substring(0, end), text.substring(end));
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
            String value = digits.replaceFirst("^0+", "");
            String otherValue = other.digits.replaceFirst("^0+", "");
            int lengths = Integer.compare(value.length(), otherValue.length());
            return lengths != 0 ? lengths : value.compareTo(otherValue);
        }
    }

    @Override
    public int compare(String left, String right) {
        String[] a = renamed(left).split("\\.", -1);
        String[] b = renamed(right).split("\\.", -1);
        for (int i = 0; i < Math.min(a.length, b.length); i++) {
            int order = Piece.of(a[i]).compare(Piece.of(b[i]));
            if (order != 0) {
                return order;
            }
        }
        return a.length == b.length ? left.compareTo(right) : Integer.compare(a.length, b.length);
    }

    private static String renamed(String name) {
        return name.equals(OLD_HEAD) ? HEAD : name;
    }
}
