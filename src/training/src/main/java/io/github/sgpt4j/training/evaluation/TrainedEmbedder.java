package io.github.sgpt4j.training.evaluation;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/// Embeds texts exactly as a step of training does, so that the same model gives the same bits.
///
/// @param model borrowed
/// @param tokens most tokens that are computed at the same time; a longer text is computed alone
record TrainedEmbedder(TrainableModel model, int tokens) {
    /// A text in a role.
    record Text(String text, TextKind kind) {}

    /// An embedder with the device's usual number of tokens.
    static TrainedEmbedder of(TrainableModel model) {
        long fitting = Math.max(1, model.roomForPasses() / model.bytesPerToken());
        return new TrainedEmbedder(model, (int) Math.min(fitting, model.model().batchTokens()));
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
        List<Integer> order = IntStream.range(0, texts.size())
                .boxed()
                .sorted(Comparator.comparingInt((Integer i) -> ids.get(i).length)
                        .reversed())
                .toList();
        float[][] embeddings = new float[texts.size()][];
        int next = 0;
        while (next < order.size()) {
            Interrupts.check("embedding texts", next, order.size());
            List<Integer> chunk = new ArrayList<>();
            int filled = 0;
            while (next < order.size() && (chunk.isEmpty() || filled + ids.get(order.get(next)).length <= tokens)) {
                filled += ids.get(order.get(next)).length;
                chunk.add(order.get(next));
                next++;
            }
            float[][] computed = model.embed(
                    chunk.stream().map(ids::get).toList(),
                    chunk.stream().map(i -> texts.get(i).kind()).toList());
            for (int i = 0; i < computed.length; i++) {
                embeddings[chunk.get(i)] = computed[i];
            }
            progress.accept(chunk.size());
        }
        return embeddings;
    }
}
