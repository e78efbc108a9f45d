package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.MultiTerms;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.BytesRef;
import org.jspecify.annotations.Nullable;

/// Makes one index of a folder of shards, in the form that the indexing of a large collection on many
/// machines leaves: indexes in `part-NNNNN`, and `_SUCCESS`.
public final class ShardMerge {
    private ShardMerge() {}

    /// Copies the parts of all shards into a new index. Nothing is embedded, and no model is needed; the
    /// shards stay as they are. When it fails or is killed, the new index is empty and may be removed.
    ///
    /// @param shards folder of the shards
    /// @param target folder of the new index, empty or absent
    /// @param optimize whether its parts are merged into one, which takes longer and makes searches faster
    /// @return number of documents
    /// @throws IOException if something cannot be read or written
    /// @throws FormatException if the folder is not finished, a shard is damaged, they were made with
    ///     different models or options, an id occurs more than once, or the target is not empty
    public static int merge(Path shards, Path target, boolean optimize) throws IOException {
        return WriterThread.aside(() -> {
            if (!ShardFolder.isOne(shards)) {
                throw new FormatException(shards + ": expected a folder of shards (part-*), found none");
            }
            IndexOpening from = IndexOpening.toRead(shards, Optional.empty());
            try {
                requireSound(ShardFolder.shards(shards), from.directories());
                requireDifferentIds(shards, from.directories());
                return merge(from, target, optimize);
            } finally {
                from.close();
            }
        });
    }

    private static int merge(IndexOpening from, Path target, boolean optimize) throws IOException {
        IndexOpening to = IndexOpening.toFill(target, from.metadata());
        try {
            WriterThread writer = to.writer().orElseThrow();
            return writer.call(w -> {
                w.addIndexes(from.directories().toArray(Directory[]::new));
                if (optimize) {
                    w.forceMerge(1);
                }
                w.commit();
                return w.getDocStats().numDocs;
            });
        } finally {
            to.close();
        }
    }

    /// Reads every byte: files are copied as they are, and damage would become part of the new index.
    private static void requireSound(List<Path> shards, List<Directory> directories) throws IOException {
        for (int i = 0; i < shards.size(); i++) {
            Directory directory = directories.get(i);
            IndexFiles.checked(shards.get(i), () -> {
                try (DirectoryReader reader = DirectoryReader.open(directory)) {
                    for (LeafReaderContext leaf : reader.leaves()) {
                        leaf.reader().checkIntegrity();
                    }
                    return reader.numDocs();
                }
            });
        }
    }

    /// In one index an id has one document.
    private static void requireDifferentIds(Path path, List<Directory> shards) throws IOException {
        try (IndexReader all = Searchers.reader(shards)) {
            @Nullable Terms ids = MultiTerms.getTerms(all, Fields.ID);
            if (ids == null) {
                return;
            }
            TermsEnum each = ids.iterator();
            for (BytesRef id = each.next(); id != null; id = each.next()) {
                // Removed documents count here too, so they are looked for only then.
                if (each.docFreq() > 1 && documents(all, id) > 1) {
                    throw new FormatException("%s: expected each id in one shard, found \"%s\" in several places"
                            .formatted(path, id.utf8ToString()));
                }
            }
        }
    }

    /// Number of live documents of an id.
    private static int documents(IndexReader reader, BytesRef id) throws IOException {
        int documents = 0;
        for (LeafReaderContext leaf : reader.leaves()) {
            @Nullable PostingsEnum postings = leaf.reader().postings(new Term(Fields.ID, id), PostingsEnum.NONE);
            for (int i = postings == null ? DocIdSetIterator.NO_MORE_DOCS : postings.nextDoc();
                    postings != null && i != DocIdSetIterator.NO_MORE_DOCS;
                    i = postings.nextDoc()) {
                if (leaf.reader().getLiveDocs() == null
                        || leaf.reader().getLiveDocs().get(i)) {
                    documents++;
                }
            }
        }
        return documents;
    }
}
