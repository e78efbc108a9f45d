package io.github.sgpt4j.training.step;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TrainingDevice;
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
///
/// Several devices get the chunks in turn and compute at the same time; the loss is computed when all embeddings are
/// there. Which device computes what depends on the texts alone.
public final class BatchGradients {
    private final List<TrainingDevice> devices;
    private final GradCache cache;
    private final long fitting;
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

    /// @param devices at least one, all with the same values
    /// @param chunkTokens most tokens of a chunk; a longer text is a chunk of its own. If the activations
    ///     of so many do not fit, chunks are smaller.
    /// @param held bytes of the heap that the training holds for other things
    public BatchGradients(List<TrainingDevice> devices, GradCache cache, int chunkTokens, long held) {
        if (chunkTokens < 1) {
            throw new IllegalArgumentException("tokens of a chunk: expected at least 1, got " + chunkTokens);
        }
        this.devices = List.copyOf(devices);
        this.cache = cache;
        fitting = TextChunks.fitting(devices, held);
        this.chunkTokens = (int) Math.min(chunkTokens, fitting);
    }

    /// Adds the gradients of a batch to those of the devices.
    ///
    /// @param columns of equal numbers of texts
    public Outcome add(List<TextColumn> columns, EmbeddingLoss loss) {
        List<Chunk> chunks = chunks(columns);
        List<List<Chunk>> shares = shares(chunks);
        boolean cached = cache == GradCache.ALWAYS
                || cache == GradCache.AUTO && shares.stream().anyMatch(share -> tokens(share) > fitting);
        List<float[][]> embeddings = new ArrayList<>();
        columns.forEach(column -> embeddings.add(new float[column.ids().size()][]));
        EmbeddingLoss.Result result = cached ? twice(shares, embeddings, loss) : once(shares, embeddings, loss);
        return new Outcome(result.loss(), result.first(), tokens(chunks), chunks.size(), cached);
    }

    /// Most tokens of which a device holds the activations at the same time.
    ///
    /// @param batch tokens of a batch, at most
    /// @param longest tokens of a text, at most
    public long mostTokens(long batch, int longest) {
        return switch (cache) {
            case ALWAYS -> Math.min(batch, Math.max(chunkTokens, longest));
            case AUTO -> Math.min(batch, Math.max(fitting, longest));
            case NEVER -> batch;
        };
    }

    private static long tokens(List<Chunk> chunks) {
        return chunks.stream()
                .flatMap(chunk -> chunk.ids().stream())
                .mapToLong(ids -> ids.length)
                .sum();
    }

    /// The chunks of each device.
    private List<List<Chunk>> shares(List<Chunk> chunks) {
        return IntStream.range(0, devices.size())
                .mapToObj(device -> IntStream.range(0, chunks.size())
                        .filter(i -> i % devices.size() == device)
                        .mapToObj(chunks::get)
                        .toList())
                .toList();
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
        return TextChunks.plan(texts, TextChunks.even(texts, chunkTokens, devices.size())).stream()
                .map(chunk -> new Chunk(
                        chunk.stream().map(places::get).toList(),
                        chunk.stream().map(texts::get).toList(),
                        chunk.stream()
                                .map(i -> columns.get(places.get(i).column()).kind())
                                .toList()))
                .toList();
    }

    private EmbeddingLoss.Result once(List<List<Chunk>> shares, List<float[][]> embeddings, EmbeddingLoss loss) {
        List<List<TrainingDevice.Pass>> passes = shares.stream()
                .map(_ -> (List<TrainingDevice.Pass>) new ArrayList<TrainingDevice.Pass>())
                .toList();
        try {
            DeviceWork.each(devices.size(), device -> {
                for (Chunk chunk : shares.get(device)) {
                    TrainingDevice.Pass pass = devices.get(device).forward(chunk.ids(), chunk.kinds());
                    passes.get(device).add(pass);
                    put(chunk, pass.embeddings(), embeddings);
                }
            });
            EmbeddingLoss.Result result = loss.of(embeddings);
            if (Double.isFinite(result.loss())) {
                DeviceWork.each(devices.size(), device -> {
                    for (int i = 0; i < passes.get(device).size(); i++) {
                        TrainingDevice.Pass pass = passes.get(device).get(i);
                        pass.backward(gradients(shares.get(device).get(i), result));
                        pass.close();
                    }
                });
            }
            return result;
        } finally {
            passes.forEach(share -> share.forEach(TrainingDevice.Pass::close));
        }
    }

    private EmbeddingLoss.Result twice(List<List<Chunk>> shares, List<float[][]> embeddings, EmbeddingLoss loss) {
        DeviceWork.each(devices.size(), device -> {
            for (Chunk chunk : shares.get(device)) {
                put(chunk, devices.get(device).embed(chunk.ids(), chunk.kinds()), embeddings);
            }
        });
        EmbeddingLoss.Result result = loss.of(embeddings);
        if (Double.isFinite(result.loss())) {
            DeviceWork.each(devices.size(), device -> {
                for (Chunk chunk : shares.get(device)) {
                    try (TrainingDevice.Pass pass = devices.get(device).forward(chunk.ids(), chunk.kinds())) {
                        pass.backward(gradients(chunk, result));
                    }
                }
            });
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
