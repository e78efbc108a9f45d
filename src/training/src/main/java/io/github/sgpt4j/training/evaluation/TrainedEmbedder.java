package io.github.sgpt4j.training.evaluation;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import io.github.sgpt4j.training.step.TextChunks;
import java.util.List;
import java.util.function.LongConsumer;

/// Embeds texts exactly as a step of training does, so that the same model gives the same bits.
///
/// @param model borrowed
/// @param tokens most tokens that are computed at the same time; a longer text is computed alone
record TrainedEmbedder(TrainableModel model, int tokens) {
    /// A text in a role.
    record Text(String text, TextKind kind) {}

    /// An embedder with the device's usual number of tokens.
    static TrainedEmbedder of(TrainableModel model) {
        return new TrainedEmbedder(model, TextChunks.tokens(model, model.model().batchTokens()));
    }

    /// Embeds texts.
    ///
    /// @param progress is told how many more are done
    /// @return `[texts][dimension]`, in the order of `texts`
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    float[][] embed(List<Text> texts, LongConsumer progress) {
        List<int[]> ids = texts.parallelStream()
                .map(text -> model.tokens(text.text(), text.kind()))
                .toList();
        float[][] embeddings = new float[texts.size()][];
        int done = 0;
        for (List<Integer> chunk : TextChunks.plan(ids, tokens)) {
            Interrupts.check("embedding texts", done, texts.size());
            float[][] computed = model.embed(
                    chunk.stream().map(ids::get).toList(),
                    chunk.stream().map(i -> texts.get(i).kind()).toList());
            for (int i = 0; i < computed.length; i++) {
                embeddings[chunk.get(i)] = computed[i];
            }
            done += chunk.size();
            progress.accept(chunk.size());
        }
        return embeddings;
    }
}
