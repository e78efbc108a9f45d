package io.github.sgpt4j.training.evaluation;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.TrainingDevice;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import io.github.sgpt4j.training.step.DeviceWork;
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
        return new TrainedEmbedder(
                model, (int) Math.min(model.model().batchTokens(), TextChunks.fitting(model.devices(), 0)));
    }

    /// Embeds texts.
    ///
    /// @param progress is told how many more are done
    /// @return `[texts][dimension]`, in the order of `texts`
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    float[][] embed(List<Text> texts, LongConsumer progress) {
        List<int[]> ids = texts.parallelStream()
                .map(text -> model.measuredTokens(text.text(), text.kind()))
                .toList();
        float[][] embeddings = new float[texts.size()][];
        int done = 0;
        List<TrainingDevice> devices = model.devices();
        List<List<Integer>> chunks = TextChunks.plan(ids, tokens);
        for (int first = 0; first < chunks.size(); first += devices.size()) {
            Interrupts.check("embedding texts", done, texts.size());
            List<List<Integer>> round = chunks.subList(first, Math.min(chunks.size(), first + devices.size()));
            DeviceWork.each(round.size(), device -> {
                List<Integer> chunk = round.get(device);
                float[][] computed = devices.get(device)
                        .embed(
                                chunk.stream().map(ids::get).toList(),
                                chunk.stream().map(i -> texts.get(i).kind()).toList());
                for (int i = 0; i < computed.length; i++) {
                    embeddings[chunk.get(i)] = computed[i];
                }
            });
            int more = round.stream().mapToInt(List::size).sum();
            done += more;
            progress.accept(more);
        }
        return embeddings;
    }
}
