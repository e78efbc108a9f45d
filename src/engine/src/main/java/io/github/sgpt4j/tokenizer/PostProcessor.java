package io.github.sgpt4j.tokenizer;

import java.util.List;

/// Puts special tokens around the ids of a text, as `tokenizers::processors` do for a single sequence.
///
/// @param parts what the result consists of, in order
record PostProcessor(List<Part> parts) {
    /// Adds nothing.
    static final PostProcessor NONE = new PostProcessor(List.of(new Part(true, List.of())));

    /// One part of the result.
    ///
    /// @param text whether it is the text itself; `ids` is empty then
    /// @param ids the ids of special tokens otherwise
    record Part(boolean text, List<Integer> ids) {
        Part {
            ids = List.copyOf(ids);
            if (text && !ids.isEmpty()) {
                throw new IllegalArgumentException("the text part has no ids of its own");
            }
        }

        static Part special(List<Integer> ids) {
            return new Part(false, ids);
        }

        static Part ofText() {
            return new Part(true, List.of());
        }
    }

    PostProcessor {
        parts = List.copyOf(parts);
    }

    /// Number of special tokens in the result.
    int added() {
        return parts.stream().mapToInt(p -> p.ids().size()).sum();
    }

    /// @param addSpecialTokens without it only the text's ids appear, as often as the template has them
    int[] process(int[] ids, boolean addSpecialTokens) {
        IntList result = new IntList(ids.length + 4);
        for (Part part : parts) {
            if (part.text()) {
                result.addAll(ids);
            } else if (addSpecialTokens) {
                part.ids().forEach(result::add);
            }
        }
        return result.toArray();
    }
}
