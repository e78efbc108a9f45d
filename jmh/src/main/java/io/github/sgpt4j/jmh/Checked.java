package io.github.sgpt4j.jmh;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/// Opens libraries and checks on a few texts that their results agree with those of our engine.
final class Checked {
    private Checked() {}

    /// An embedder that agrees with ours on the first two documents and queries.
    ///
    /// @throws UnsupportedOperationException if the library does not embed with that shape
    static Peer.Embedder embedder(
            Peer library, ModelShape shape, Path checkpoint, List<String> documents, List<String> queries) {
        int threads = Settings.threads();
        int most = Settings.DOCUMENT_TOKENS;
        Peer.Embedder embedder = library.embedder(shape, checkpoint, threads, most)
                .orElseThrow(() -> new UnsupportedOperationException(library.name() + " does not embed with " + shape));
        List<String> sample = List.of(documents.get(0), queries.get(0), documents.get(1), queries.get(1));
        try (Peer.Embedder ours =
                new Ours().embedder(shape, checkpoint, threads, most).orElseThrow()) {
            Agreement.require(library.name(), ours.embed(sample), embedder.embed(sample));
        }
        return embedder;
    }

    /// A trainer whose losses and gradients, tensor by tensor, agree with ours on some texts.
    ///
    /// @throws UnsupportedOperationException if the library does not train with that shape
    static Peer.Trainer trainer(Peer library, ModelShape shape, Path checkpoint, List<String> sample) {
        int threads = Settings.threads();
        int most = Settings.DOCUMENT_TOKENS;
        Peer.Trainer trainer = library.trainer(shape, checkpoint, threads, most)
                .orElseThrow(() -> new UnsupportedOperationException(library.name() + " does not train with " + shape));
        float[][] directions = directions(sample.size(), shape.hidden());
        try (Peer.Trainer ours =
                new Ours().trainer(shape, checkpoint, threads, most).orElseThrow()) {
            Agreement.require(
                    library.name() + ", losses", ours.step(sample, directions), trainer.step(sample, directions));
            Map<String, float[]> expected = ours.gradients();
            Map<String, float[]> got = trainer.gradients();
            if (!got.keySet().equals(expected.keySet())) {
                throw new IllegalStateException("%s: expected gradients of %s, got those of %s"
                        .formatted(library.name(), expected.keySet(), got.keySet()));
            }
            expected.forEach((name, gradient) -> Agreement.require(
                    library.name() + ", gradient of " + name, gradient, Objects.requireNonNull(got.get(name))));
        }
        return trainer;
    }

    /// Random directions for [Peer.Trainer#step], the same in every call.
    static float[][] directions(int texts, int hidden) {
        Random random = new Random(8);
        float[][] directions = new float[texts][hidden];
        for (float[] direction : directions) {
            for (int i = 0; i < hidden; i++) {
                direction[i] = (float) random.nextGaussian();
            }
        }
        return directions;
    }

    /// A scorer that agrees with ours on the first three documents.
    ///
    /// @throws UnsupportedOperationException if the library does not score with that shape
    static Peer.Scorer scorer(Peer library, ModelShape shape, Path checkpoint, String query, List<String> documents) {
        Peer.Scorer scorer = library.scorer(shape, checkpoint, Settings.threads())
                .orElseThrow(() -> new UnsupportedOperationException(library.name() + " does not score with " + shape));
        List<String> sample = documents.subList(0, Math.min(3, documents.size()));
        try (Peer.Scorer ours =
                new Ours().scorer(shape, checkpoint, Settings.threads()).orElseThrow()) {
            Agreement.require(library.name(), ours.score(query, sample), scorer.score(query, sample));
        }
        return scorer;
    }

    /// A tokenizer that agrees with ours on all texts.
    ///
    /// @throws UnsupportedOperationException if the library has none
    static Peer.Encoder encoder(Peer library, Path checkpoint, List<String> texts) {
        Peer.Encoder encoder = library.encoder(checkpoint)
                .orElseThrow(() -> new UnsupportedOperationException(library.name() + " has no tokenizer"));
        try (Peer.Encoder ours = new Ours().encoder(checkpoint).orElseThrow()) {
            for (String text : texts) {
                Agreement.require(library.name(), ours.encode(text), encoder.encode(text));
            }
        }
        return encoder;
    }

    /// Number of tokens of each text, truncated to [Settings#DOCUMENT_TOKENS].
    static int[] tokens(Path checkpoint, List<String> texts) {
        try (Peer.Encoder encoder = new Ours().encoder(checkpoint).orElseThrow()) {
            return texts.stream()
                    .mapToInt(text -> Math.min(Settings.DOCUMENT_TOKENS, encoder.encode(text).length))
                    .toArray();
        }
    }
}
