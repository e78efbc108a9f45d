package io.github.sgpt4j.tokenizer.step;

import java.util.List;

/// Adds special tokens to the ids of a text or of a pair of texts, like `tokenizers::processors`.
///
/// @param parts the parts of the result, in order
/// @param trims the steps that leave white space out of the places of tokens, in order
/// @param pair the parts of the result for a pair of texts, in order; the first part that is a text is the
///     first text, the second one the second; empty if the files do not state a usable template
public record PostProcessor(List<Part> parts, List<Trim> trims, List<Part> pair) {
    /// One text after the other, without special tokens.
    private static final List<Part> PLAIN_PAIR = List.of(Part.ofText(), Part.ofText());

    /// Adds nothing.
    public static final PostProcessor NONE = new PostProcessor(List.of(new Part(true, List.of())));

    /// One part of the result.
    ///
    /// @param text whether it is the text itself; `ids` is empty then
    /// @param ids the ids of special tokens otherwise
    public record Part(boolean text, List<Integer> ids) {
        public Part {
            ids = List.copyOf(ids);
            if (text && !ids.isEmpty()) {
                throw new IllegalArgumentException("the text part has no ids of its own");
            }
        }

        public static Part special(List<Integer> ids) {
            return new Part(false, ids);
        }

        public static Part ofText() {
            return new Part(true, List.of());
        }
    }

    /// A step that leaves white space at the ends of tokens out of their places (`trim_offsets`).
    ///
    /// @param prefixSpace whether a single space before the first token was put there and is not part of
    ///     the text
    public record Trim(boolean prefixSpace) {
        /// Trims the places of a text's tokens in place.
        ///
        /// @param starts `[tokens]`
        /// @param ends `[tokens]`
        /// @param leading number of white space characters that each token begins with
        /// @param trailing number of those that it ends with
        public void apply(int[] starts, int[] ends, int[] leading, int[] trailing) {
            for (int i = 0; i < starts.length; i++) {
                boolean added = (i == 0 || starts[i] == 0) && prefixSpace && leading[i] == 1;
                starts[i] = Math.min(starts[i] + (added ? 0 : leading[i]), ends[i]);
                if (ends[i] >= trailing[i]) {
                    ends[i] = Math.max(ends[i] - trailing[i], starts[i]);
                }
            }
        }
    }

    public PostProcessor {
        parts = List.copyOf(parts);
        trims = List.copyOf(trims);
        pair = List.copyOf(pair);
    }

    /// Trims nothing, and adds nothing to pairs.
    public PostProcessor(List<Part> parts) {
        this(parts, List.of(), PLAIN_PAIR);
    }

    /// As this one, with these trims.
    public PostProcessor withTrims(List<Trim> value) {
        return new PostProcessor(parts, value, pair);
    }

    /// As this one, with these parts for a pair of texts.
    public PostProcessor withPair(List<Part> value) {
        return new PostProcessor(parts, trims, value);
    }

    /// Number of special tokens that a pair of texts gets.
    public int addedToPair() {
        return pair.stream().mapToInt(part -> part.ids().size()).sum();
    }

    /// Adds special tokens to a pair of texts.
    ///
    /// @param firstIds the first text's ids, cut
    /// @param secondIds the second text's ids, cut
    public int[] processPair(int[] firstIds, int[] secondIds) {
        int[] result = new int[Math.addExact(addedToPair(), Math.addExact(firstIds.length, secondIds.length))];
        int[] text = firstIds;
        int at = 0;
        for (Part part : pair) {
            if (part.text()) {
                System.arraycopy(text, 0, result, at, text.length);
                at += text.length;
                text = secondIds;
            } else {
                for (int id : part.ids()) {
                    result[at++] = id;
                }
            }
        }
        return result;
    }

    /// Whether it adds nothing to the text.
    public boolean addsNothing() {
        return parts.equals(NONE.parts);
    }

    /// Number of special tokens in the result.
    public int added() {
        int added = 0;
        for (Part part : parts) {
            added += part.ids().size();
        }
        return added;
    }

    /// Whether the text appears once.
    public boolean aroundText() {
        return parts.stream().filter(Part::text).count() == 1;
    }

    /// The special tokens before the text.
    public List<Integer> before() {
        return ids(parts);
    }

    /// The special tokens after the text.
    public List<Integer> after() {
        int last = parts.size();
        while (last > 0 && !parts.get(last - 1).text()) {
            last--;
        }
        return ids(parts.subList(last, parts.size()));
    }

    private static List<Integer> ids(List<Part> parts) {
        return parts.stream()
                .takeWhile(part -> !part.text())
                .flatMap(part -> part.ids().stream())
                .toList();
    }

    /// Adds special tokens to the ids `ids[from, to)` of a text.
    ///
    /// @param addSpecialTokens if false, the result has only the text's ids, as often as in the
    ///     template
    /// @param margin number of free places at each end of the result
    public int[] process(int[] ids, int from, int to, boolean addSpecialTokens, int margin) {
        int length = 2 * margin;
        for (Part part : parts) {
            length = Math.addExact(
                    length,
                    part.text() ? to - from : addSpecialTokens ? part.ids().size() : 0);
        }
        int[] result = new int[length];
        int at = margin;
        for (Part part : parts) {
            if (part.text()) {
                System.arraycopy(ids, from, result, at, to - from);
                at += to - from;
            } else if (addSpecialTokens) {
                for (int id : part.ids()) {
                    result[at++] = id;
                }
            }
        }
        return result;
    }
}
