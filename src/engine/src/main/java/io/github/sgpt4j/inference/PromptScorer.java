package io.github.sgpt4j.inference;

import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.model.TokenLayer;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.tokenizer.EncodedText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Function;

/// Scores prompts with a query and a document by a few numbers after the decoder: the logits of one or two
/// tokens after the last token, or the output of a head with one label. Borrows the decoders.
///
/// As for embeddings, common prefixes of prompts are computed once; only the last row (or for a mean, each row
/// by itself) goes through the layer.
///
/// @param encoder pools the layer's outputs
/// @param framing what is put around the texts
/// @param padding id that does not count at the end of a prompt, as in transformers' classifiers, if any
/// @param softcap the logits' limit: softcap · tanh(logit / softcap); 0 for none
/// @param temperature the logits are divided by it
public record PromptScorer(
        TextEncoder encoder, PairFraming framing, OptionalInt padding, double softcap, double temperature)
        implements PairScoring<PromptTokens> {
    /// A scorer of `lanes`.
    ///
    /// @param backend of the first decoder
    /// @param layer of each decoder, with as many outputs as there are values of a pair
    /// @param mode how the layer's outputs of a prompt become one
    public static PromptScorer of(
            Backend backend,
            Lanes lanes,
            Function<Decoder, TokenLayer> layer,
            PoolMode mode,
            PairFraming framing,
            OptionalInt padding,
            double softcap,
            double temperature) {
        TokenPooling pooling = TokenPooling.of(lanes, layer, mode);
        EmbeddingSteps none = EmbeddingSteps.load(backend, List.of(), pooling.width());
        TextEncoder encoder = new TextEncoder(lanes, framing.tokenizer(), pooling, true, none, framing.maxTokens());
        return new PromptScorer(encoder, framing, padding, softcap, temperature);
    }

    @Override
    public Class<PromptTokens> tokenized() {
        return PromptTokens.class;
    }

    @Override
    public List<PromptTokens> requests(List<String> queries, List<String> documents, Cancellation cancellation) {
        Map<String, int[]> known = new HashMap<>();
        List<PromptTokens> requests = new ArrayList<>(queries.size());
        for (int i = 0; i < queries.size(); i++) {
            cancellation.check();
            requests.add(request(framing.encode(queries.get(i), documents.get(i), known, cancellation)));
        }
        return requests;
    }

    private PromptTokens request(EncodedText prompt) {
        int[] ids = prompt.ids();
        if (ids.length == 0) {
            throw new FormatException("pair of a query and a document: expected at least one token, got none");
        }
        int length = ids.length;
        while (padding.isPresent() && length > 1 && ids[length - 1] == padding.getAsInt()) {
            length--;
        }
        return length == ids.length
                ? new PromptTokens(ids, prompt.uncut())
                : new PromptTokens(Arrays.copyOf(ids, length), prompt.uncut() - (ids.length - length));
    }

    @Override
    public Scored score(
            List<String> queries, List<String> documents, boolean truncate, int batchTokens, Progress progress) {
        if (queries.size() != documents.size()) {
            throw new IllegalArgumentException(
                    "%d queries for %d documents".formatted(queries.size(), documents.size()));
        }
        Cancellation cancellation = Cancellation.ofThisThread("scoring pairs");
        cancellation.check();
        List<PromptTokens> requests = requests(queries, documents, cancellation);
        for (int i = 0; i < requests.size() && !truncate; i++) {
            PromptTokens request = requests.get(i);
            if (request.truncated()) {
                throw new FormatException("prompt with document %s and query %s: expected at most %d tokens, got %d"
                        .formatted(
                                Quoted.of(documents.get(i)),
                                Quoted.of(queries.get(i)),
                                request.tokens(),
                                request.uncutTokens()));
            }
        }
        return score(requests, batchTokens, progress, cancellation);
    }

    @Override
    public Scored score(List<PromptTokens> requests, int batchTokens, Progress progress) {
        Cancellation cancellation = Cancellation.ofThisThread("scoring pairs");
        cancellation.check();
        return score(requests, batchTokens, progress, cancellation);
    }

    private Scored score(List<PromptTokens> requests, int batchTokens, Progress progress, Cancellation cancellation) {
        TextEncoder.Source prompts = new TextEncoder.Source() {
            @Override
            public int size() {
                return requests.size();
            }

            @Override
            public EncodedText encode(int index, Cancellation ofCall) {
                return new EncodedText(
                        requests.get(index).ids(), requests.get(index).uncutTokens());
            }

            @Override
            public int promptLength(int index) {
                return 0;
            }
        };
        float[][] values =
                encoder.embed(prompts, batchTokens, progress, cancellation).vectors();
        for (float[] each : values) {
            for (int i = 0; i < each.length; i++) {
                each[i] = (float) (capped(each[i]) / temperature);
            }
        }
        return Scored.of(values, requests);
    }

    private double capped(double logit) {
        return softcap == 0 ? logit : softcap * Math.tanh(logit / softcap);
    }
}
