package io.github.sgpt4j.tokenizer.vocabulary;

/// A token that is cut out of the text before the model sees it.
///
/// @param content the text that stands for the token, not empty
/// @param singleWord whether it only matches between non-word characters
/// @param leftStrip whether it includes white space before it
/// @param rightStrip whether it includes white space after it
/// @param normalized whether its normalized form is searched in the normalized text; otherwise its
///     content is searched in the original text
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

    /// A special token without other flags.
    public static AddedToken special(String content) {
        return new AddedToken(content, false, false, false, false, true);
    }
}
