package io.github.sgpt4j.jmh;

import java.nio.file.Path;
import java.util.List;

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
