package io.github.sgpt4j.cli;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.retrieval.IndexOptions;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.UpdateReport;
import io.github.sgpt4j.retrieval.VectorStorage;
import io.github.sgpt4j.retrieval.corpus.CorpusReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `sgpt index`: a corpus to an index on disk.
@Command(
        name = "index",
        versionProvider = VersionProvider.class,
        description = "Make an index of documents for sgpt search, or bring it up to date.",
        footer = {
            "",
            "Documents that the index has already (same id, title and text) are not embedded again. What was done is on"
                    + " disk every few seconds: killed at any moment, the next run goes on from there. Searches may run"
                    + " meanwhile.",
            "A corpus is a .txt file (one document a line), a .jsonl file (text, title, _id), .gz of either, a"
                    + " directory with corpus.jsonl (BEIR), or a directory of .txt files. Documents without _id are"
                    + " known by their line or file."
        })
final class IndexCommand extends ModelCommand {
    private static final double NANOS = 1e9;

    @Option(names = "--corpus", required = true, paramLabel = "FILE|DIR", description = "Documents.")
    private String corpus = "";

    @Option(names = "--index", required = true, paramLabel = "DIR", description = "The index, made if need be.")
    private String index = "";

    @Option(
            names = "--int8",
            description = "Search vectors of 8-bit numbers, a quarter of the memory (fixed when the index is made).")
    private boolean int8;

    @Option(
            names = "--connections",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Neighbours of a vector in the graph (HNSW's M; fixed when the index is made).")
    private int connections = IndexOptions.DEFAULT.connections();

    @Option(
            names = "--beam-width",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Candidates when making the graph (HNSW's efConstruction; fixed when the index is made).")
    private int beamWidth = IndexOptions.DEFAULT.beamWidth();

    @Option(names = "--remove-missing", description = "Remove documents that the corpus lacks.")
    private boolean removeMissing;

    @Option(names = "--optimize", description = "Merge the index into one part: faster searches.")
    private boolean optimize;

    IndexCommand(Console console) {
        super(console);
    }

    @Override
    void run() throws IOException {
        LuceneLog.silence();
        Path path = TextInput.path(index);
        BiEncoderOptions encoding = BiEncoderOptions.DEFAULT.withBatchTokens(common().batchTokens());
        try (CorpusReader documents = CorpusReader.open(TextInput.path(corpus));
                Model model = openModel();
                BiEncoder encoder = BiEncoder.of(model, encoding);
                SemanticIndex to = open(path, encoder)) {
            long start = System.nanoTime();
            UpdateReport report;
            try (IndexProgress progress = new IndexProgress(console(), common().quiet(), documents)) {
                report = to.update(documents, removeMissing, progress);
            }
            double seconds = (System.nanoTime() - start) / NANOS;
            if (optimize) {
                notice("merging the index into one part ...");
                to.optimize();
            }
            summarize(report, to.size(), seconds);
        }
    }

    private SemanticIndex open(Path path, BiEncoder encoder) throws IOException {
        boolean asIs = !int8
                && connections == IndexOptions.DEFAULT.connections()
                && beamWidth == IndexOptions.DEFAULT.beamWidth();
        if (asIs) {
            return SemanticIndex.open(path, encoder);
        }
        try {
            VectorStorage storage = int8 ? VectorStorage.INT8 : VectorStorage.FLOAT32;
            return SemanticIndex.open(path, encoder, new IndexOptions(storage, connections, beamWidth));
        } catch (IllegalArgumentException e) {
            throw usage(String.valueOf(e.getMessage()));
        }
    }

    private void summarize(UpdateReport report, int size, double seconds) {
        notice(String.format(
                Locale.ROOT,
                "%,d documents read in %.1f s: %,d added, %,d replaced, %,d unchanged, %,d removed; %,d texts embedded"
                        + " (%.0f/s); %s has %,d documents",
                report.read(),
                seconds,
                report.added(),
                report.replaced(),
                report.unchanged(),
                report.removed(),
                report.embedded(),
                report.embedded() / Math.max(seconds, 1e-3),
                index,
                size));
    }
}
