package io.github.sgpt4j;

import io.github.sgpt4j.tokenizer.TokenPlaces;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;

/// A token and its place in the text, as the offsets of Hugging Face `tokenizers`.
///
/// Places count Unicode code points, not `char`s: [String#offsetByCodePoints] converts them. Tokens that
/// share a character, such as the bytes of an emoji, each have all of it as their place. A token that
/// steps of the tokenizer insert, such as a space before the first word, has the place of the character
/// beside it. What is removed, or absorbed when characters are composed (NFC), belongs to no token.
/// Whether white space before a word belongs to its place is up to the tokenizer's files
/// (`trim_offsets`). Places may overlap. Starts never decrease, unless the tokenizer trims places or has
/// added tokens that include the white space around them.
///
/// @param id the token's id
/// @param text the part of the text from `start` to `end`; of a token without a place, its content in
///     the tokenizer's files, or an empty text if they do not name the id
/// @param special whether the tokenizer adds the token to every text. A special token that is written
///     out in the text has a place and is not special here
/// @param start the first code point of the token, or -1 if the tokenizer adds the token to every text
/// @param end the code point after the last one, or -1 in the same case
public record Token(int id, String text, boolean special, int start, int end) {
    /// The tokens of a text.
    static List<Token> of(Tokenizer tokenizer, String text, boolean specialTokens) {
        TokenPlaces places = tokenizer.encodePlaced(text, specialTokens);
        int[] indexes = indexes(text);
        List<Token> tokens = new ArrayList<>(places.ids().length);
        for (int i = 0; i < places.ids().length; i++) {
            int id = places.ids()[i];
            int start = places.starts()[i];
            int end = places.ends()[i];
            boolean special = start == TokenPlaces.NONE;
            String content = special ? tokenizer.content(id) : text.substring(indexes[start], indexes[end]);
            tokens.add(new Token(id, content, special, start, end));
        }
        return List.copyOf(tokens);
    }

    /// The index of each code point, and the length of the text.
    private static int[] indexes(String text) {
        int[] indexes = new int[text.codePointCount(0, text.length()) + 1];
        for (int i = 0, index = 0; i < indexes.length; i++) {
            indexes[i] = index;
            index += index < text.length() ? Character.charCount(text.codePointAt(index)) : 0;
        }
        return indexes;
    }
}
