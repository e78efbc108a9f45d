package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.store.Directory;

/// The parts of an open index, checked to fit together. The caller closes it.
record IndexOpening(
        Path path,
        Directory directory,
        IndexMetadata metadata,
        Optional<BiEncoder> encoder,
        Optional<WriterThread> writer,
        Analyzer analyzer) {
    /// Documents are written to disk at commits; earlier only if they need more memory than this.
    private static final double BUFFER_MEGABYTES = 256;

    static IndexOpening toRead(Path path, Optional<BiEncoder> encoder) throws IOException {
        CheckedDirectory directory = IndexFiles.openExisting(path);
        try {
            IndexMetadata metadata = metadata(path, directory);
            encoder.ifPresent(e -> {
                metadata.requireModel(path, ModelIdentity.of(e));
                metadata.requireSimilarity(path, e.similarity());
            });
            return new IndexOpening(path, directory, metadata, encoder, Optional.empty(), Words.analyzer());
        } catch (IOException | RuntimeException | Error e) {
            directory.close();
            throw e;
        }
    }

    /// @param files wraps a directory that is written to
    static IndexOpening toWrite(
            Path path, BiEncoder encoder, Optional<IndexOptions> options, UnaryOperator<Directory> files)
            throws IOException {
        ModelIdentity model = ModelIdentity.of(encoder);
        if (model.dimension() > VectorCodec.MAX_DIMENSIONS) {
            throw new IllegalArgumentException("dimension: expected at most %d, the model has %d"
                    .formatted(VectorCodec.MAX_DIMENSIONS, model.dimension()));
        }
        VectorSpace.requireSearchable(path, encoder.similarity());
        CheckedDirectory checked = IndexFiles.open(path);
        Directory directory = files.apply(checked);
        Analyzer analyzer = Words.analyzer();
        try {
            boolean exists = DirectoryReader.indexExists(directory);
            if (!exists) {
                IndexFiles.requireOwn(path, directory);
            }
            IndexMetadata metadata = exists
                    ? metadata(path, checked)
                    : new IndexMetadata(model, encoder.similarity(), options.orElse(IndexOptions.DEFAULT));
            metadata.requireModel(path, model);
            metadata.requireSimilarity(path, encoder.similarity());
            options.ifPresent(o -> metadata.requireOptions(path, o));
            WriterThread writer = WriterThread.open(path, directory, config(analyzer, metadata.options()));
            try {
                writer.call(w -> begin(path, w, metadata));
            } catch (IOException | RuntimeException | Error e) {
                writer.rollback();
                throw e;
            }
            return new IndexOpening(path, directory, metadata, Optional.of(encoder), Optional.of(writer), analyzer);
        } catch (IOException | RuntimeException | Error e) {
            close(Optional.empty(), analyzer, directory);
            throw e;
        }
    }

    private static IndexWriterConfig config(Analyzer analyzer, IndexOptions options) {
        return new IndexWriterConfig(analyzer)
                .setSimilarity(Words.SIMILARITY)
                .setCodec(VectorCodec.of(options))
                .setOpenMode(IndexWriterConfig.OpenMode.CREATE_OR_APPEND)
                .setMergeScheduler(new QuietMerges())
                .setRAMBufferSizeMB(BUFFER_MEGABYTES);
    }

    /// A new index says at once what it is; another writer may have made one between our check and our
    /// lock.
    private static IndexWriter begin(Path path, IndexWriter writer, IndexMetadata metadata) throws IOException {
        Map<String, String> data = new HashMap<>();
        if (writer.getLiveCommitData() != null) {
            writer.getLiveCommitData().forEach(entry -> data.put(entry.getKey(), entry.getValue()));
        }
        if (data.isEmpty()) {
            writer.setLiveCommitData(metadata.toUserData().entrySet());
            writer.commit();
        } else if (!IndexMetadata.of(path, data).equals(metadata)) {
            throw new FormatException(
                    path + ": another process has meanwhile made this index with another model or other options");
        }
        return writer;
    }

    private static IndexMetadata metadata(Path path, CheckedDirectory directory) throws IOException {
        return IndexMetadata.of(path, IndexFiles.commit(path, directory).getUserData());
    }

    void close() throws IOException {
        close(writer, analyzer, directory);
    }

    static void close(Optional<WriterThread> writer, Analyzer analyzer, Directory directory) throws IOException {
        try {
            if (writer.isPresent()) {
                writer.get().close();
            }
        } finally {
            analyzer.close();
            directory.close();
        }
    }
}
