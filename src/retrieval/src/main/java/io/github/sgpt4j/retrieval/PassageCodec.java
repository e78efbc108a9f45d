package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.passage.TextRange;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.store.ByteArrayDataInput;
import org.apache.lucene.store.ByteBuffersDataOutput;
import org.apache.lucene.util.BytesRef;

/// The places of a document's passages as bytes: their number, and for each the distance of its start from
/// the start before, and its length; all as integers of 7 bits per byte.
final class PassageCodec {
    private PassageCodec() {}

    static BytesRef encode(List<TextRange> ranges) {
        ByteBuffersDataOutput out = new ByteBuffersDataOutput();
        try {
            out.writeVInt(ranges.size());
            int before = 0;
            for (TextRange range : ranges) {
                out.writeVInt(range.start() - before);
                out.writeVInt(range.length());
                before = range.start();
            }
        } catch (IOException e) {
            throw new IllegalStateException("memory cannot fail to be written", e);
        }
        return new BytesRef(out.toArrayCopy());
    }

    /// @param id of the document, for messages
    /// @param length of its text
    /// @throws DamagedDocumentException if the bytes are not what [#encode] makes of ranges of such a text
    static List<TextRange> decode(String id, BytesRef bytes, int length) throws DamagedDocumentException {
        List<TextRange> ranges = new ArrayList<>();
        try {
            ByteArrayDataInput in = new ByteArrayDataInput(bytes.bytes, bytes.offset, bytes.length);
            int count = in.readVInt();
            int start = 0;
            for (int i = 0; i < count; i++) {
                start = Math.addExact(start, in.readVInt());
                ranges.add(new TextRange(start, Math.addExact(start, in.readVInt())));
            }
            if (count < 1 || !in.eof() || ranges.getLast().end() > length) {
                throw new IllegalArgumentException("%d passages, %d bytes".formatted(count, bytes.length));
            }
            return ranges;
        } catch (RuntimeException e) {
            throw new DamagedDocumentException("document %s: the places of its passages are damaged".formatted(id), e);
        }
    }
}
