package io.github.sgpt4j.inference;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.tokenizer.EncodedText;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.util.Map;

/// Prompts by a [PromptTemplate] with document and query, after which one token is scored. Prompts that are too
/// long are cut as SGPT's reference implementation does: on the left, but the example and the template's text
/// before the document keep their tokens.
public final class ChoiceFraming implements PairFraming {
    private final Tokenizer tokenizer;
    private final PromptTemplate template;
    private final int choice;
    private final int maxLength;
    private final int instruction;

    /// @param template takes the query too
    /// @param choice id of the token that is scored
    /// @param maxLength maximum ids of a prompt
    /// @throws IllegalArgumentException if it leaves no room for what stays
    public ChoiceFraming(Tokenizer tokenizer, PromptTemplate template, int choice, int maxLength) {
        this.tokenizer = tokenizer;
        this.template = template;
        this.choice = choice;
        this.maxLength = maxLength;
        instruction = PairScorer.instruction(tokenizer, template);
        if (maxLength < Math.max(1, instruction)) {
            throw new IllegalArgumentException(
                    "maximal length %d: expected at least the %d tokens of the prompt's example and of its text before the document"
                            .formatted(maxLength, Math.max(1, instruction)));
        }
    }

    @Override
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    @Override
    public int maxTokens() {
        return maxLength;
    }

    @Override
    public EncodedText encode(String query, String document, Map<String, int[]> known, Cancellation cancellation) {
        int[] context = tokenizer.encode(template.context(document, query), false, cancellation);
        ScoringRequest request = ScoringRequest.of(context, new int[] {choice}, instruction, maxLength);
        return new EncodedText(request.input(), request.uncut());
    }
}
