package io.github.sgpt4j.retrieval;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.index.SegmentInfos;
import org.apache.lucene.store.BufferedChecksumIndexInput;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.FilterDirectory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.jspecify.annotations.Nullable;

/// The last commit of an index and all its files, opened at once: they stay readable when another
/// process meanwhile commits and deletes files.
final class IndexSnapshot extends FilterDirectory {
    /// Bytes between two calls of a listener.
    private static final long STEP = 8L << 20;

    private final FSDirectory folder;
    private final SegmentInfos commit;
    private final Map<String, IndexInput> inputs = new TreeMap<>();
    private final Map<String, IOException> failures = new LinkedHashMap<>();

    private IndexSnapshot(FSDirectory folder, SegmentInfos commit) {
        super(folder);
        this.folder = folder;
        this.commit = commit;
    }

    /// @throws IOException also if the commit is damaged; see [IndexDamage]
    static IndexSnapshot open(Path path) throws IOException {
        FSDirectory directory = FSDirectory.open(path);
        try {
            return new SegmentInfos.FindSegmentsFile<IndexSnapshot>(directory) {
                @Override
                protected IndexSnapshot doBody(String name) throws IOException {
                    IndexSnapshot snapshot = new IndexSnapshot(directory, SegmentInfos.readCommit(directory, name));
                    snapshot.openFiles();
                    return snapshot;
                }
            }.run();
        } catch (IOException | RuntimeException | Error e) {
            directory.close();
            throw e;
        }
    }

    private void openFiles() throws IOException {
        for (String name : commit.files(true)) {
            try {
                CheckedDirectory.requireFile(folder, name);
                inputs.put(name, in.openInput(name, IOContext.DEFAULT));
            } catch (IOException e) {
                failures.put(name, e);
            } catch (RuntimeException | Error e) {
                closeFiles();
                throw e;
            }
        }
        // A commit in the meantime explains missing files: the caller tries that commit.
        if (!failures.isEmpty() && SegmentInfos.getLastCommitGeneration(in) != commit.getGeneration()) {
            closeFiles();
            throw failures.values().iterator().next();
        }
    }

    SegmentInfos commit() {
        return commit;
    }

    /// Names of all files of the commit, including those that cannot be opened.
    List<String> names() {
        List<String> names = new ArrayList<>(inputs.keySet());
        names.addAll(failures.keySet());
        return names;
    }

    /// Total bytes of all files.
    long bytes() {
        return inputs.values().stream().mapToLong(IndexInput::length).sum();
    }

    /// Compares a file with its checksum.
    ///
    /// @param listener told how many more bytes were read
    /// @throws IOException if it is damaged or cannot be read
    void check(String name, LongConsumer listener) throws IOException {
        IndexInput input = input(name);
        // Checks the length first, before everything is read.
        CodecUtil.retrieveChecksum(input.clone());
        long end = input.length() - CodecUtil.footerLength();
        IndexInput start = input.clone();
        start.seek(0);
        try (BufferedChecksumIndexInput read = new BufferedChecksumIndexInput(start)) {
            while (read.getFilePointer() < end) {
                long from = read.getFilePointer();
                read.seek(Math.min(end, from + STEP));
                listener.accept(read.getFilePointer() - from);
            }
            CodecUtil.checkFooter(read);
        }
    }

    private IndexInput input(String name) throws IOException {
        @Nullable IOException failure = failures.get(name);
        if (failure != null) {
            throw failure;
        }
        IndexInput input = inputs.get(name);
        // A reader only asks for files of its commit.
        return input == null ? in.openInput(name, IOContext.DEFAULT) : input;
    }

    @Override
    public String[] listAll() {
        return names().toArray(String[]::new);
    }

    @Override
    public long fileLength(String name) throws IOException {
        return input(name).length();
    }

    @Override
    public IndexInput openInput(String name, IOContext context) throws IOException {
        IndexInput input = input(name);
        return input.slice(name, 0, input.length());
    }

    private void closeFiles() throws IOException {
        for (IndexInput input : inputs.values()) {
            input.close();
        }
    }

    @Override
    public void close() throws IOException {
        try {
            closeFiles();
        } finally {
            super.close();
        }
    }
}
