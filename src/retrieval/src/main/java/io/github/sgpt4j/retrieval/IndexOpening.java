package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.passage.PassageOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.store.Directory;

/// The parts of an open index, checked to fit together. The caller closes it.
///
/// @param path of the index, or of the folder of shards
/// @param places the path of the index, or those of all shards
/// @param directories at the places, in the same order
record IndexOpening(
        Path path,
        List<Path> places,
        List<Directory> directories,
        IndexMetadata metadata,
        Optional<BiEncoder> encoder,
        Optional<WriterThread> writer,
        Analyzer analyzer)
        implements AutoCloseable {
    /// Documents are written to disk at commits; earlier only if they need more memory than this.
    private static final double BUFFER_MEGABYTES = 256;

    /// An index, or a folder of shards as one.
    static IndexOpening toRead(Path path, Optional<BiEncoder> encoder) throws IOException {
        boolean isFolder = ShardFolder.isOne(path);
        List<Path> places = isFolder ? ShardFolder.shards(path) : List.of(path);
        List<Directory> directories = new ArrayList<>();
        try {
            List<IndexMetadata> found = new ArrayList<>();
            for (Path place : places) {
                CheckedDirectory directory = IndexFiles.openExisting(place);
                directories.add(directory);
                found.add(metadata(place, directory));
                found.getFirst().requireSame(places.getFirst(), place, found.getLast());
            }
            if (isFolder) {
                ShardFolder.requireWritten(path, places, directories);
            }
            IndexMetadata metadata = found.getFirst();
            encoder.ifPresent(e -> {
                metadata.requireModel(path, ModelIdentity.of(e));
                metadata.requireSimilarity(path, e.similarity());
            });
            return new IndexOpening(path, places, directories, metadata, encoder, Optional.empty(), Words.analyzer());
        } catch (IOException | RuntimeException | Error e) {
            close(directories);
            throw e;
        }
    }

    private static void close(List<Directory> directories) throws IOException {
        for (Directory directory : directories) {
            directory.close();
        }
    }

    /// A new index of documents that were indexed elsewhere.
    ///
    /// @param metadata of the indexes that it will have the documents of
    /// @param files wraps the directory, which is written to
    static IndexOpening toFill(Path path, IndexMetadata metadata, UnaryOperator<Directory> files) throws IOException {
        Directory directory = files.apply(IndexFiles.open(path));
        Analyzer analyzer = Words.analyzer();
        try {
            return new IndexOpening(
                    path,
                    List.of(path),
                    List.of(directory),
                    metadata,
                    Optional.empty(),
                    Optional.of(writer(path, directory, analyzer, metadata)),
                    analyzer);
        } catch (IOException | RuntimeException | Error e) {
            close(Optional.empty(), analyzer, List.of(directory));
            throw e;
        }
    }

    private static WriterThread writer(Path path, Directory directory, Analyzer analyzer, IndexMetadata metadata)
            throws IOException {
        WriterThread writer = WriterThread.open(path, directory, config(analyzer, metadata.options()));
        try {
            writer.call(w -> begin(path, w, metadata));
            return writer;
        } catch (IOException | RuntimeException | Error e) {
            writer.rollback();
            throw e;
        }
    }

    /// @param options changes the index's own options, which must stay equal, or the default ones of a new index
    /// @param files wraps a directory that is written to
    static IndexOpening toWrite(
            Path path, BiEncoder encoder, UnaryOperator<IndexOptions> options, UnaryOperator<Directory> files)
            throws IOException {
        ModelIdentity model = ModelIdentity.of(encoder);
        if (model.dimension() > VectorCodec.MAX_DIMENSIONS) {
            throw new IllegalArgumentException("dimension: expected at most %d, the model has %d"
                    .formatted(VectorCodec.MAX_DIMENSIONS, model.dimension()));
        }
        VectorSpace.requireSearchable(path, encoder.similarity());
        if (ShardFolder.isOne(path)) {
            throw ShardFolder.refusal(path);
        }
        // Before there is a folder.
        options.apply(IndexOptions.DEFAULT).passages().ifPresent(passages -> passages.requireFit(encoder));
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
                    : new IndexMetadata(
                            model,
                            encoder.similarity(),
                            options.apply(IndexOptions.DEFAULT).decided(PassageOptions.of(encoder)));
            metadata.requireModel(path, model);
            metadata.requireSimilarity(path, encoder.similarity());
            metadata.requireOptions(path, options.apply(metadata.options()));
            WriterThread writer = writer(path, directory, analyzer, metadata);
            return new IndexOpening(
                    path,
                    List.of(path),
                    List.of(directory),
                    metadata,
                    Optional.of(encoder),
                    Optional.of(writer),
                    analyzer);
        } catch (IOException | RuntimeException | Error e) {
            close(Optional.empty(), analyzer, List.of(directory));
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
            data.putAll(metadata.toUserData());
            data.put(IndexMetadata.ID, UUID.randomUUID().toString());
            writer.setLiveCommitData(data.entrySet());
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

    @Override
    public void close() throws IOException {
        close(writer, analyzer, directories);
    }

    static void close(Optional<WriterThread> writer, Analyzer analyzer, List<Directory> directories)
            throws IOException {
        try {
            if (writer.isPresent()) {
                writer.get().close();
            }
        } finally {
            analyzer.close();
            close(directories);
        }
    }
}
