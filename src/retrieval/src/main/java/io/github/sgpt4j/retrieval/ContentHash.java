package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.TreeMap;
import org.apache.lucene.util.BytesRef;

/// Identifies a document's title and text: 128 bits of SHA-256.
final class ContentHash {
    private static final int BYTES = 16;

    private ContentHash() {}

    static BytesRef of(Document document) {
        MessageDigest digest = sha256();
        byte[] title = document.title().orElse("").getBytes(StandardCharsets.UTF_8);
        int length = document.title().isPresent() ? title.length : -1;
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, length));
        digest.update(title);
        digest.update(document.text().getBytes(StandardCharsets.UTF_8));
        return new BytesRef(Arrays.copyOf(digest.digest(), BYTES));
    }

    /// Identifies a document's metadata in the same way, whatever the order of their names; empty if there
    /// are none.
    static BytesRef of(Metadata metadata) {
        return metadata.isEmpty() ? new BytesRef() : inOrder(Metadata.of(new TreeMap<>(metadata.asMap())));
    }

    /// Whether metadata have this hash. Indexes of earlier versions have hashes of the names in the order in
    /// which they were given.
    static boolean isOf(BytesRef hash, Metadata metadata) {
        return hash.equals(of(metadata)) || !metadata.isEmpty() && hash.equals(inOrder(metadata));
    }

    private static BytesRef inOrder(Metadata metadata) {
        BytesRef bytes = MetadataCodec.encode(metadata);
        return new BytesRef(Arrays.copyOf(sha256().digest(bytes.bytes), BYTES));
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
