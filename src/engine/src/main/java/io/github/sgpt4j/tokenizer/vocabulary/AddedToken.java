package io.github.sgpt4j.tokenizer.vocabulary;

/// A token that is cut out of the text before the model sees it.
///
/// @param content the text that stands for the token, not empty
/// @param singleWord whether it counts only where no word character touches it
/// @param leftStrip whether white space before it belongs to it
/// @param rightStrip whether white space after it belongs to it
/// @param normalized whether its normalized form is looked for in the normalized text, rather than it as it is in the
///     text as it is
/// @param special whether decoding may skip it
public record AddedToken(
        String content,
        boolean singleWord,
        boolean leftStrip,
        boolean rightStrip,
        boolean normalized,
        boolean special) {
    public AddedToken {
        if (content.isEmpty()) {
            throw new IllegalArgumentException("an added token must not be empty");
        }
    }

    /// A special token without further flags.
    public static AddedToken special(String content) {
        return new AddedToken(content, false, false, false, false, true);
    }
}
