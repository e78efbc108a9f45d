package io.github.sgpt4j.training.step;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TrainableModel;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/// Computes the gradients of a batch, chunk by chunk.
///
/// A chunk has texts of about equal length, up to a number of tokens. If the activations of all chunks fit, each chunk
/// is computed once. Otherwise (GradCache, Gao et al., arXiv:2101.06983) all embeddings are computed first, then the
/// loss and its gradients with respect to them, and then each chunk again, from there to the tensors. Both ways give
/// the same bits, because the chunks, their order and their operations are the same.
public final class BatchGradients {
    private final TrainableModel model;
    private final GradCache cache;
    private final int chunkTokens;

    /// What was computed.
    ///
    /// @param loss the batch's loss
    /// @param first number of rows whose positive has the highest score, if rows have positives
    /// @param tokens number of tokens
    /// @param chunks number of chunks
    /// @param cached whether each chunk was computed twice
    public record Outcome(double loss, OptionalInt first, long tokens, int chunks, boolean cached) {}

    /// A text of the batch.
    private record Place(int column, int row) {}

    /// Texts that are computed at the same time.
    private record Chunk(List<Place> places, List<int[]> ids, List<TextKind> kinds) {}

    /// @param chunkTokens most tokens of a chunk; a longer text is a chunk of its own. If the activations of so many do
    ///     not fit, chunks are smaller.
    public BatchGradients(TrainableModel model, GradCache cache, int chunkTokens) {
        if (chunkTokens < 1) {
            throw new IllegalArgumentException("tokens of a chunk: expected at least 1, got " + chunkTokens);
        }
        this.model = model;
        this.cache = cache;
        this.chunkTokens = TextChunks.tokens(model, chunkTokens);
    }

    /// Adds the gradients of a batch to those of the model.
    ///
    /// @param columns of equal numbers of texts
    public Outcome add(List<TextColumn> columns, EmbeddingLoss loss) {
        List<Chunk> chunks = chunks(columns);
        long tokens = columns.stream()
                .flatMap(column -> column.ids().stream())
                .mapToLong(ids -> ids.length)
                .sum();
        boolean cached = cache == GradCache.ALWAYS || cache == GradCache.AUTO && tokens > TextChunks.fitting(model);
        List<float[][]> embeddings = new ArrayList<>();
        columns.forEach(column -> embeddings.add(new float[column.ids().size()][]));
        EmbeddingLoss.Result result = cached ? twice(chunks, embeddings, loss) : once(chunks, embeddings, loss);
        return new Outcome(result.loss(), result.first(), tokens, chunks.size(), cached);
    }

    private List<Chunk> chunks(List<TextColumn> columns) {
        List<Place> places = new ArrayList<>();
        List<int[]> texts = new ArrayList<>();
        for (int c = 0; c < columns.size(); c++) {
            List<int[]> ids = columns.get(c).ids();
            for (int r = 0; r < ids.size(); r++) {
                places.add(new Place(c, r));
            }
            texts.addAll(ids);
        }
        return TextChunks.plan(texts, chunkTokens).stream()
                .map(chunk -> new Chunk(
                        chunk.stream().map(places::get).toList(),
                        chunk.stream().map(texts::get).toList(),
                        chunk.stream()
                                .map(i -> columns.get(places.get(i).column()).kind())
                                .toList()))
                .toList();
    }

    private EmbeddingLoss.Result once(List<Chunk> chunks, List<float[][]> embeddings, EmbeddingLoss loss) {
        List<TrainableModel.Pass> passes = new ArrayList<>();
        try {
            for (Chunk chunk : chunks) {
                TrainableModel.Pass pass = model.forward(chunk.ids(), chunk.kinds());
                passes.add(pass);
                put(chunk, pass.embeddings(), embeddings);
            }
            EmbeddingLoss.Result result = loss.of(embeddings);
            if (Double.isFinite(result.loss())) {
                for (int i = 0; i < passes.size(); i++) {
                    passes.get(i).backward(gradients(chunks.get(i), result));
                    passes.get(i).close();
                }
            }
            return result;
        } finally {
            passes.forEach(TrainableModel.Pass::close);
        }
    }

    private EmbeddingLoss.Result twice(List<Chunk> chunks, List<float[][]> embeddings, EmbeddingLoss loss) {
        for (Chunk chunk : chunks) {
            put(chunk, model.embed(chunk.ids(), chunk.kinds()), embeddings);
        }
        EmbeddingLoss.Result result = loss.of(embeddings);
        if (Double.isFinite(result.loss())) {
            for (Chunk chunk : chunks) {
                try (TrainableModel.Pass pass = model.forward(chunk.ids(), chunk.kinds())) {
                    pass.backward(gradients(chunk, result));
                }
            }
        }
        return result;
    }

    private static void put(Chunk chunk, float[][] computed, List<float[][]> embeddings) {
        IntStream.range(0, computed.length).forEach(i -> {
            Place place = chunk.places().get(i);
            embeddings.get(place.column())[place.row()] = computed[i];
        });
    }

    private static float[][] gradients(Chunk chunk, EmbeddingLoss.Result result) {
        return chunk.places().stream()
                .map(place -> result.gradients().get(place.column())[place.row()])
                .toArray(float[][]::new);
    }
}
