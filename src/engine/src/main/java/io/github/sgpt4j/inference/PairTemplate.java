package io.github.sgpt4j.inference;

import io.github.sgpt4j.checkpoint.ScoreActivation;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// The template of a re-ranker's prompts, and what is read from the model's output.
///
/// @param name for messages
/// @param form how the pieces become ids
/// @param pieces texts with `{query}`, `{document}` and perhaps `{instruction}`
/// @param piecesWithoutInstruction used instead if there is no instruction; empty if one is needed
/// @param instruction the usual instruction
/// @param trueToken token whose logit counts, if the output head is used
/// @param falseToken token whose logit counts against it, if any
/// @param maxLength usual maximum length, if the template has one
/// @param activation what the published usage makes of a raw score, if known
/// @param cut how long pairs are cut
public record PairTemplate(
        String name,
        Form form,
        List<String> pieces,
        List<String> piecesWithoutInstruction,
        Optional<String> instruction,
        Optional<String> trueToken,
        Optional<String> falseToken,
        OptionalInt maxLength,
        Optional<ScoreActivation> activation,
        Cut cut) {
    /// How pieces become ids.
    public enum Form {
        /// Each piece by itself, without special tokens; then one after the other.
        PIECES,
        /// One piece, with the tokenizer's special tokens.
        TEXT,
        /// Two pieces, with the tokenizer's special tokens for a pair of texts.
        PAIR
    }

    /// How prompts in pieces are cut, always on the right.
    public enum Cut {
        /// The pieces with the document, so that the whole prompt has the maximum length; if there is no
        /// room for them, also the pieces with the query.
        PROMPT,
        /// The query's piece to three quarters of the maximum; the document's piece so that both with what is
        /// between them have the maximum. The rest of the prompt does not count (mxbai-rerank v2).
        TEXTS,
        /// The query's piece to three quarters of the maximum, the document's piece to the maximum, and then so
        /// that everything up to it has the maximum plus what is between them plus the last piece
        /// (FlagEmbedding).
        TEXTS_AND_QUESTION
    }

    private static final String PLAIN = "pair";

    public PairTemplate {
        pieces = List.copyOf(pieces);
        piecesWithoutInstruction = List.copyOf(piecesWithoutInstruction);
    }

    /// Query and document as a pair of texts, as they are.
    public static final PairTemplate PAIR = new PairTemplate(
            PLAIN,
            Form.PAIR,
            List.of("{query}", "{document}"),
            List.of(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            OptionalInt.empty(),
            Optional.empty(),
            Cut.PROMPT);

    /// Whether an instruction changes prompts.
    public boolean takesInstruction() {
        return pieces.stream().anyMatch(piece -> TemplatePiece.parse(piece).has(TemplatePiece.Place.INSTRUCTION));
    }

    /// The pieces of prompts with or without an instruction.
    List<TemplatePiece> pieces(Optional<String> given) {
        List<String> chosen =
                given.isEmpty() && !piecesWithoutInstruction.isEmpty() ? piecesWithoutInstruction : pieces;
        return chosen.stream().map(TemplatePiece::parse).toList();
    }
}
