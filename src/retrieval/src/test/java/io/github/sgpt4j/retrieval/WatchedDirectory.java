package io.github.sgpt4j.retrieval;

import java.io.IOException;
import java.util.Collection;
import java.util.function.BooleanSupplier;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FilterDirectory;
import org.apache.lucene.store.FilterIndexOutput;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.IndexOutput;
import org.apache.lucene.store.Lock;

/// Calls a watcher before each operation on files, and forces data to disk only where asked to, since
/// that is slow.
final class WatchedDirectory extends FilterDirectory {
    private final Watcher watcher;
    private final BooleanSupplier syncs;

    /// Called before each operation.
    @FunctionalInterface
    interface Watcher {
        /// @throws IOException to make the operation fail
        void before() throws IOException;
    }

    WatchedDirectory(Directory in, Watcher watcher, BooleanSupplier syncs) {
        super(in);
        this.watcher = watcher;
        this.syncs = syncs;
    }

    @Override
    public String[] listAll() throws IOException {
        watcher.before();
        return super.listAll();
    }

    @Override
    public void deleteFile(String name) throws IOException {
        watcher.before();
        super.deleteFile(name);
    }

    @Override
    public IndexOutput createOutput(String name, IOContext context) throws IOException {
        watcher.before();
        return watched(super.createOutput(name, context));
    }

    @Override
    public IndexOutput createTempOutput(String prefix, String suffix, IOContext context) throws IOException {
        watcher.before();
        return watched(super.createTempOutput(prefix, suffix, context));
    }

    private IndexOutput watched(IndexOutput output) {
        return new FilterIndexOutput("watched " + output, output.getName(), output) {
            @Override
            public void close() throws IOException {
                try {
                    watcher.before();
                } finally {
                    super.close();
                }
            }
        };
    }

    @Override
    public void sync(Collection<String> names) throws IOException {
        watcher.before();
        if (syncs.getAsBoolean()) {
            super.sync(names);
        }
    }

    @Override
    public void syncMetaData() throws IOException {
        watcher.before();
        if (syncs.getAsBoolean()) {
            super.syncMetaData();
        }
    }

    @Override
    public void rename(String source, String dest) throws IOException {
        watcher.before();
        super.rename(source, dest);
    }

    @Override
    public IndexInput openInput(String name, IOContext context) throws IOException {
        watcher.before();
        return super.openInput(name, context);
    }

    @Override
    public Lock obtainLock(String name) throws IOException {
        watcher.before();
        return super.obtainLock(name);
    }
}
