package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.IndexWriter;
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
    /// shards stay as they are. The index is made in a hidden folder beside its place, `.NAME.sgpt-merge`,
    /// and renamed when it is complete: when this fails or is killed, there is no index, and the same call
    /// works again and removes what is left there.
    ///
    /// @param shards folder of the shards
    /// @param target folder of the new index, empty or absent; neither within the folder of the shards nor
    ///     around it
    /// @param optimize whether its parts are merged into one, which takes longer and makes searches faster
    /// @return number of documents
    /// @throws IOException if something cannot be read or written
    /// @throws IndexInUseException if another merge to the same place is running
    /// @throws FormatException if the folder is not finished, a shard is damaged, they were made with
    ///     different models or options, an id occurs more than once, or the target is not empty or in the
    ///     wrong place
    public static int merge(Path shards, Path target, boolean optimize) throws IOException {
        return merge(shards, target, optimize, UnaryOperator.identity());
    }

    /// @param files wraps the directory that is written to
    static int merge(Path shards, Path target, boolean optimize, UnaryOperator<Directory> files) throws IOException {
        return WriterThread.aside(() -> {
            if (!ShardFolder.isOne(shards)) {
                throw new FormatException(shards + ": expected a folder of shards (part-*), found none");
            }
            try (IndexOpening from = IndexOpening.toRead(shards, Optional.empty())) {
                requireApart(from, target);
                try (MergeFolder work = MergeFolder.open(target)) {
                    requireSound(from);
                    requireDifferentIds(shards, from.directories());
                    int documents = merge(from, work.content(), optimize, files);
                    work.publish();
                    return documents;
                }
            }
        });
    }

    /// A new index among the shards would become one of them, or be taken for a part of one.
    private static void requireApart(IndexOpening from, Path target) throws IOException {
        Path to = MergeFolder.place(target);
        List<Path> all = new ArrayList<>(from.places());
        all.addFirst(from.path());
        for (Path each : all) {
            Path place = each.toRealPath();
            if (to.startsWith(place) || place.startsWith(to)) {
                throw new FormatException(
                        "%s: expected a directory for the merged index that is neither within %s nor around it"
                                .formatted(target, each));
            }
        }
    }

    private static int merge(IndexOpening from, Path place, boolean optimize, UnaryOperator<Directory> files)
            throws IOException {
        try (IndexOpening to = IndexOpening.toFill(place, from.metadata(), files)) {
            WriterThread writer = to.writer().orElseThrow();
            return writer.call(w -> {
                w.addIndexes(from.directories().toArray(Directory[]::new));
                if (optimize) {
                    w.forceMerge(1);
                }
                w.commit();
                return number(w);
            });
        }
    }

    private static int number(IndexWriter writer) throws IOException {
        try (DirectoryReader reader = DirectoryReader.open(writer)) {
            return Rows.count(reader);
        }
    }

    /// Reads every byte: files are copied as they are, and damage would become part of the new index.
    private static void requireSound(IndexOpening shards) throws IOException {
        for (int i = 0; i < shards.places().size(); i++) {
            Directory directory = shards.directories().get(i);
            IndexFiles.checked(shards.places().get(i), () -> {
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
    static void requireDifferentIds(Path path, List<Directory> shards) throws IOException {
        try (IndexReader all = Searchers.reader(shards)) {
            @Nullable Terms ids = MultiTerms.getTerms(all, Fields.ID);
            if (ids == null) {
                return;
            }
            TermsEnum each = ids.iterator();
            for (BytesRef id = each.next(); id != null; id = each.next()) {
                // Removed documents and further passages count here too, so they are looked for only then.
                if (each.docFreq() > 1 && documents(all, id) > 1) {
                    throw new FormatException("%s: expected each id in one shard, found \"%s\" in several places"
                            .formatted(path, id.utf8ToString()));
                }
            }
        }
    }

    /// Number of live documents of an id; passages are no documents.
    private static int documents(IndexReader reader, BytesRef id) throws IOException {
        int documents = 0;
        for (LeafReaderContext leaf : reader.leaves()) {
            Rows rows = Rows.of(leaf.reader());
            @Nullable PostingsEnum postings = leaf.reader().postings(new Term(Fields.ID, id), PostingsEnum.NONE);
            for (int i = postings == null ? DocIdSetIterator.NO_MORE_DOCS : postings.nextDoc();
                    postings != null && i != DocIdSetIterator.NO_MORE_DOCS;
                    i = postings.nextDoc()) {
                boolean live = leaf.reader().getLiveDocs() == null
                        || leaf.reader().getLiveDocs().get(i);
                if (live && rows.isDocument(i)) {
                    documents++;
                }
            }
        }
        return documents;
    }
}
