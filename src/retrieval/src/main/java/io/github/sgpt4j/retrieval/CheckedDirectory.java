package io.github.sgpt4j.retrieval;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.FilterDirectory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;

/// A directory whose files are compared with their checksums before their contents are used.
///
/// Every file of an index ends with a checksum of all its bytes, but Lucene compares it only where it
/// reads a file from start to end. Files never change once they are written, so one check of each is
/// enough: when a reader, a writer or a merge first opens it. A file of more than [#MAX_WHOLE] bytes is
/// not read whole here, which would take longer than the search that opens it: only its end is checked
/// here. A merge, [IndexVerifier] and [IndexDamage] read the rest.
final class CheckedDirectory extends FilterDirectory {
    /// 64 MB: 8 ms at the 8 GB/s of a checksum.
    static final long MAX_WHOLE = 64L << 20;

    private final Set<String> checked = ConcurrentHashMap.newKeySet();

    private final FSDirectory folder;

    /// @param folder closed with this object
    CheckedDirectory(FSDirectory folder) {
        super(folder);
        this.folder = folder;
    }

    @Override
    public IndexInput openInput(String name, IOContext context) throws IOException {
        check(name);
        return super.openInput(name, context);
    }

    @Override
    public void deleteFile(String name) throws IOException {
        super.deleteFile(name);
        checked.remove(name);
    }

    /// @throws CorruptIndexException if the file does not contain what was written
    void check(String name) throws IOException {
        // Temporary files of a merge have no checksum.
        if (name.endsWith(".tmp") || checked.contains(name)) {
            return;
        }
        requireFile(folder, name);
        try (IndexInput input = in.openInput(name, IOContext.READONCE)) {
            if (input.length() <= MAX_WHOLE) {
                CodecUtil.checksumEntireFile(input);
            } else {
                CodecUtil.retrieveChecksum(input);
            }
        }
        checked.add(name);
    }

    /// Refuses a directory or a device in the place of a file.
    static void requireFile(FSDirectory folder, String name) throws CorruptIndexException {
        Path file = folder.getDirectory().resolve(name);
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new CorruptIndexException("expected a file, found something else", name);
        }
    }
}
