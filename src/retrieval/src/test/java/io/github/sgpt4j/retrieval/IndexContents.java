package io.github.sgpt4j.retrieval;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.MMapDirectory;

/// What an index has on disk.
final class IndexContents {
    private IndexContents() {}

    /// Ids of the documents that were committed.
    static Set<String> ids(Path folder) throws IOException {
        try (Directory directory = new MMapDirectory(folder);
                DirectoryReader reader = DirectoryReader.open(directory)) {
            Set<String> ids = new TreeSet<>();
            for (LeafReaderContext context : reader.leaves()) {
                LeafReader leaf = context.reader();
                BinaryDocValues values = leaf.getBinaryDocValues(Fields.ID);
                for (int i = 0; i < leaf.maxDoc(); i++) {
                    boolean live =
                            leaf.getLiveDocs() == null || leaf.getLiveDocs().get(i);
                    if (live && values.advanceExact(i)) {
                        ids.add(values.binaryValue().utf8ToString());
                    }
                }
            }
            return ids;
        }
    }
}
