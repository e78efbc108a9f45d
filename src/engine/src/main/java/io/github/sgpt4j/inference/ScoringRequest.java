package io.github.sgpt4j.inference;

import io.github.sgpt4j.error.FormatException;
import java.util.Arrays;

/// One query to be scored after one prompt, as token ids.
///
/// @param input ids that go through the decoder
/// @param targets ids that are scored; `targets[i]` follows `input[scoredFrom + i]`
/// @param uncut number of ids of the input before cutting
public record ScoringRequest(int[] input, int[] targets, int uncut) implements PairTokens {
    /// Joins prompt and query, cut from the left to the model's length, except for the instruction:
    /// `(context[:p] + (context[p:] + query)[-(max + 1 - p):])[:-1]`, the rule of SGPT's reference
    /// implementation.
    ///
    /// @param context ids of the prompt with the document
    /// @param query ids of the query
    /// @param instruction p, the tokens of the prompt's text before the document
    /// @param max maximum tokens of an input
    static ScoringRequest of(int[] context, int[] query, int instruction, int max) {
        if (context.length == 0 && query.length > 0) {
            throw new FormatException("prompt: expected at least one token before the query, got none");
        }
        if (instruction > max) {
            throw new FormatException("prompt: expected an instruction of at most %d tokens, the model's length, got %d"
                    .formatted(max, instruction));
        }
        int kept = Math.min(instruction, context.length);
        int[] all = concat(context, query);
        int room = max + 1 - instruction;
        int rest = all.length - kept;
        int uncut = Math.max(all.length - 1, 0);
        if (rest > room) {
            int[] cut = Arrays.copyOf(all, kept + room);
            System.arraycopy(all, all.length - room, cut, kept, room);
            all = cut;
        }
        // Each scored token needs a predecessor.
        int scored = Math.min(query.length, all.length - Math.max(kept, 1));
        return new ScoringRequest(
                Arrays.copyOf(all, Math.max(all.length - 1, 0)),
                Arrays.copyOfRange(all, all.length - Math.max(scored, 0), all.length),
                uncut);
    }

    private static int[] concat(int[] a, int[] b) {
        int[] all = Arrays.copyOf(a, Math.addExact(a.length, b.length));
        System.arraycopy(b, 0, all, a.length, b.length);
        return all;
    }

    @Override
    public int[] ids() {
        return input;
    }

    @Override
    public int tokens() {
        return input.length;
    }

    /// Number of ids of the input before cutting. If nothing is scored, cutting loses nothing and does
    /// not count.
    @Override
    public int uncutTokens() {
        return targets.length == 0 ? input.length : uncut;
    }

    /// Number of scored tokens.
    @Override
    public int queryTokens() {
        return targets.length;
    }

    /// Index in [#input] of the first scored row, which is the last token of the context.
    int scoredFrom() {
        return input.length - targets.length;
    }
}
