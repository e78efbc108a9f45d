package io.github.sgpt4j.inference;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.checkpoint.LeftOut;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.tokenizer.CutSide;
import io.github.sgpt4j.tokenizer.EncodedText;
import io.github.sgpt4j.tokenizer.Tokenizer;

/// How a text becomes the token ids that are embedded: a prompt in front of it, or brackets around its ids, or nothing.
public sealed interface TextFraming {
    /// The text as it is.
    record Plain() implements TextFraming {}

    /// A prompt in front of the text and an end behind it, tokenized together with it. Both are cut like the
    /// text.
    ///
    /// @param text the prompt, empty for none
    /// @param end empty for none
    /// @param leftOut the tokens that pooling leaves out, if it leaves out prompts
    record Prompt(String text, String end, LeftOut leftOut) implements TextFraming {
        /// Without an end.
        public Prompt(String text) {
            this(text, "", LeftOut.PROMPT);
        }
    }

    /// SGPT's asymmetric models ("specb"): one token before and one after the text's ids, which are cut
    /// to make room.
    record Brackets(int before, int after) implements TextFraming {}

    /// A prompt in front of the text.
    ///
    /// @param text empty for none
    static TextFraming prompt(String text) {
        return prompt(text, "", LeftOut.PROMPT);
    }

    /// A prompt in front of the text and an end behind it.
    ///
    /// @param text empty for none
    /// @param end empty for none
    /// @param leftOut the tokens that pooling leaves out, if it leaves out prompts
    static TextFraming prompt(String text, String end, LeftOut leftOut) {
        return text.isEmpty() && end.isEmpty() ? new Plain() : new Prompt(text, end, leftOut);
    }

    /// The brackets of queries.
    static Brackets queryBrackets(Tokenizer tokenizer) {
        return brackets(tokenizer, "[", "]");
    }

    /// The brackets of documents.
    static Brackets documentBrackets(Tokenizer tokenizer) {
        return brackets(tokenizer, "{", "}");
    }

    private static Brackets brackets(Tokenizer tokenizer, String before, String after) {
        return new Brackets(single(tokenizer, before), single(tokenizer, after));
    }

    private static int single(Tokenizer tokenizer, String text) {
        int[] ids = tokenizer.encode(text, false);
        if (ids.length != 1) {
            throw new UnsupportedModelException(
                    "specb: expected \"%s\" to be one token of the model's vocabulary, got %d tokens"
                            .formatted(text, ids.length));
        }
        return ids[0];
    }

    /// Minimum `maxLength` of [#encode]: the number of special tokens and brackets.
    default int minLength(Tokenizer tokenizer) {
        return tokenizer.specialTokensAdded() + (this instanceof Brackets ? 2 : 0);
    }

    /// Token ids of a text, and their number before cutting.
    ///
    /// @param maxLength maximum number of ids, at least [#minLength]; the text is cut on the side
    ///     that the tokenizer's files state, special tokens and brackets stay
    default EncodedText encode(Tokenizer tokenizer, String text, int maxLength) {
        return encode(tokenizer, text, maxLength, CutSide.STATED, Cancellation.NEVER);
    }

    /// As [#encode(Tokenizer, String, int)], cut on a given side, for a call that may be cancelled.
    default EncodedText encode(
            Tokenizer tokenizer, String text, int maxLength, CutSide side, Cancellation cancellation) {
        return switch (this) {
            case Plain p -> tokenizer.encodeCounted(text, maxLength, side, cancellation);
            case Prompt(String prompt, String end, LeftOut leftOut) ->
                tokenizer.encodeCounted(prompt + text + end, maxLength, side, cancellation);
            case Brackets(int before, int after) ->
                tokenizer.encodeBetween(before, text, after, maxLength, side, cancellation);
        };
    }

    /// Token ids of a text that is given as ids, which are used as they are: no special tokens are
    /// added, and those among the ids are cut like others. A prompt is tokenized together with the text
    /// of the ids, without special tokens among them, as text-embeddings-inference does.
    ///
    /// @param ids of tokens of the tokenizer
    /// @param maxLength as in [#encode(Tokenizer, String, int)]
    /// @param side where the ids are cut
    /// @param cancellation of the call
    default EncodedText frame(Tokenizer tokenizer, int[] ids, int maxLength, CutSide side, Cancellation cancellation) {
        return switch (this) {
            case Plain p -> tokenizer.cut(ids, maxLength, side);
            case Prompt p when p.text().isEmpty() -> tokenizer.cut(ids, maxLength, side);
            case Prompt p -> encode(tokenizer, tokenizer.decode(ids, true), maxLength, side, cancellation);
            case Brackets(int before, int after) -> {
                EncodedText cut = tokenizer.cut(ids, maxLength - 2, side);
                int[] framed = new int[cut.ids().length + 2];
                framed[0] = before;
                System.arraycopy(cut.ids(), 0, framed, 1, cut.ids().length);
                framed[framed.length - 1] = after;
                yield new EncodedText(framed, Math.addExact(cut.uncut(), 2));
            }
        };
    }

    /// Number of first tokens of a text that belong to the prompt, for models whose pooling leaves them
    /// out: those of the prompt tokenized alone, as [LeftOut] says, without a special token at its end.
    default int promptLength(Tokenizer tokenizer) {
        if (!(this instanceof Prompt(String prompt, String end, LeftOut leftOut)) || prompt.isEmpty()) {
            return 0;
        }
        int[] ids = tokenizer.encode(prompt, leftOut == LeftOut.PROMPT);
        boolean special = leftOut == LeftOut.PROMPT && ids.length > 0 && tokenizer.isSpecial(ids[ids.length - 1]);
        return special ? ids.length - 1 : ids.length;
    }
}
