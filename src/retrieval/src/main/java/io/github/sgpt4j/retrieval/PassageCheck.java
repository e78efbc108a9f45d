package io.github.sgpt4j.retrieval;

import java.io.IOException;
import java.util.Optional;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.util.Bits;
import org.jspecify.annotations.Nullable;

/// Checks that the rows of a document's passages are those that belong to it. Documents are given in their
/// order.
final class PassageCheck {
    private final Rows rows;
    private final @Nullable Bits live;
    private final @Nullable BinaryDocValues ids;
    private final @Nullable NumericDocValues numbers;

    PassageCheck(LeafReader part, Rows rows) throws IOException {
        this.rows = rows;
        live = part.getLiveDocs();
        ids = part.getBinaryDocValues(Fields.ID);
        numbers = part.getNumericDocValues(Fields.PASSAGE);
    }

    /// A sentence if only some rows of a document are removed.
    Optional<String> alive(int document) {
        for (int row = document + 1; live != null && row < rows.end(document); row++) {
            if (live.get(row) != live.get(document)) {
                return Optional.of(
                        "only some of its %,d passages are removed".formatted(rows.end(document) - document));
            }
        }
        return Optional.empty();
    }

    /// A sentence if a passage has another id or number than its place says.
    Optional<String> numbered(int document, String id) throws IOException {
        for (int row = document + 1; row < rows.end(document); row++) {
            String other =
                    ids != null && ids.advanceExact(row) ? ids.binaryValue().utf8ToString() : "";
            long number = numbers != null && numbers.advanceExact(row) ? numbers.longValue() : 0;
            if (!other.equals(id) || number != row - document) {
                return Optional.of("document %s: expected its passage %,d, found passage %,d of document %s"
                        .formatted(id, row - document, number, other));
            }
        }
        return Optional.empty();
    }
}
