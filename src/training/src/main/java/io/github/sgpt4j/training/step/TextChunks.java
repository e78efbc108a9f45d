package io.github.sgpt4j.training.step;

import io.github.sgpt4j.TrainableModel;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// Divides texts into chunks of about equal length that are computed at the same time.
public final class TextChunks {
    private TextChunks() {}

    /// Most tokens of which a pass has room for its activations; at least 1.
    public static long fitting(TrainableModel model) {
        return Math.max(1, model.roomForPasses() / model.bytesPerToken());
    }

    /// Most tokens of a chunk: as many as wanted, fewer if their activations do not fit.
    public static int tokens(TrainableModel model, int wanted) {
        return (int) Math.min(wanted, fitting(model));
    }

    /// Divides texts, longest first; those of equal length stay in order.
    ///
    /// @param texts token ids
    /// @param tokens most tokens of a chunk; a longer text is a chunk of its own
    /// @return indices of the texts of each chunk
    public static List<List<Integer>> plan(List<int[]> texts, int tokens) {
        List<Integer> order = IntStream.range(0, texts.size())
                .boxed()
                .sorted(Comparator.comparingInt((Integer i) -> texts.get(i).length)
                        .reversed())
                .toList();
        List<List<Integer>> chunks = new ArrayList<>();
        int filled = 0;
        for (int text : order) {
            int length = texts.get(text).length;
            if (chunks.isEmpty() || filled + length > tokens) {
                chunks.add(new ArrayList<>());
                filled = 0;
            }
            chunks.getLast().add(text);
            filled += length;
        }
        return chunks;
    }
}
