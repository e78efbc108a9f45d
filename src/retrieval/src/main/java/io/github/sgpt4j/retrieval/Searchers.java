package io.github.sgpt4j.retrieval;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.MultiReader;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ReferenceManager;
import org.apache.lucene.search.SearcherManager;
import org.apache.lucene.store.Directory;
import org.jspecify.annotations.Nullable;

/// Searches the state that an index had when it was last refreshed, or that of several at once, which
/// never changes: shards are complete when they are opened.
final class Searchers {
    private Searchers() {}

    /// @param path names the index in messages
    /// @param directories of one index, or of all shards
    /// @param check called with each state before it is searched
    static ReferenceManager<IndexSearcher> of(Path path, List<Directory> directories, Consumer<IndexReader> check)
            throws IOException {
        return IndexFiles.checked(
                path,
                () -> directories.size() == 1
                        ? new SearcherManager(directories.getFirst(), Words.searcherFactory(check))
                        : new OfShards(Words.searcher(checked(reader(directories), check))));
    }

    private static IndexReader checked(IndexReader reader, Consumer<IndexReader> check) throws IOException {
        try {
            check.accept(reader);
            return reader;
        } catch (RuntimeException | Error e) {
            reader.close();
            throw e;
        }
    }

    /// One reader over all shards; closing it closes those of the shards.
    static IndexReader reader(List<Directory> directories) throws IOException {
        List<IndexReader> readers = new ArrayList<>();
        try {
            for (Directory directory : directories) {
                readers.add(DirectoryReader.open(directory));
            }
            return new MultiReader(readers.toArray(IndexReader[]::new));
        } catch (IOException | RuntimeException | Error e) {
            for (IndexReader reader : readers) {
                reader.close();
            }
            throw e;
        }
    }

    private static final class OfShards extends ReferenceManager<IndexSearcher> {
        OfShards(IndexSearcher searcher) {
            current = searcher;
        }

        @Override
        protected void decRef(IndexSearcher searcher) throws IOException {
            searcher.getIndexReader().decRef();
        }

        @Override
        protected boolean tryIncRef(IndexSearcher searcher) {
            return searcher.getIndexReader().tryIncRef();
        }

        @Override
        protected int getRefCount(IndexSearcher searcher) {
            return searcher.getIndexReader().getRefCount();
        }

        @Override
        protected @Nullable IndexSearcher refreshIfNeeded(IndexSearcher searcher) {
            return null;
        }
    }
}
