package io.github.sgpt4j.training.data;

import io.github.sgpt4j.error.FormatException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// The batches of a training, without end. They depend on data, options and position only.
///
/// Without `noDuplicates`, an epoch is a pass over all rows, as PyTorch's `DataLoader` makes it. With it,
/// a row one of whose texts is in the batch already, in lower case, is passed over, and not used in this
/// pass; an epoch is as many batches as full ones fit into the rows, and the pass goes on across
/// epochs, as in sentence-transformers' `NoDuplicatesDataLoader`.
///
/// Not safe for use by several threads at once.
///
/// @param <R> what a row is
public final class Batches<R extends TextRow> {
    private final TrainingSource<R> source;
    private final BatchOptions options;
    private final RowOrder order;
    private final long rows;
    private BatchPosition position = BatchPosition.START;

    /// Batches from the start.
    ///
    /// @param source borrowed
    /// @throws FormatException if it has fewer rows than a batch, or no first batch without duplicates can be made
    public Batches(TrainingSource<R> source, BatchOptions options) {
        this.source = source;
        this.options = options;
        this.rows = source.rows();
        this.order = new RowOrder(source.rows(), options.shuffle(), options.seed());
        if (rows < options.size()) {
            throw new FormatException("%s: expected at least the %d rows of a batch, got %d"
                    .formatted(source.name(), options.size(), rows));
        }
        if (options.noDuplicates()) {
            withoutDuplicates();
            position = BatchPosition.START;
        }
    }

    /// Number of batches of an epoch.
    public long perEpoch() {
        return options.keepLast() && !options.noDuplicates()
                ? Math.ceilDiv(rows, (long) options.size())
                : rows / options.size();
    }

    /// Where training stands, for [#seek].
    public BatchPosition position() {
        return position;
    }

    /// Continues at a position.
    ///
    /// @throws IllegalArgumentException if it belongs to other data or options
    public void seek(BatchPosition wanted) {
        if (options.noDuplicates()) {
            // A row that is taken comes after fewer than two passes over the rows.
            long most = 2 * rows * options.size();
            if (wanted.batches() > Long.MAX_VALUE / most || wanted.rows() > wanted.batches() * most) {
                throw new IllegalArgumentException("expected at most %d rows for each of %d batches, got %d"
                        .formatted(most, wanted.batches(), wanted.rows()));
            }
        } else {
            long epoch = wanted.batches() / perEpoch();
            long expected = epoch * rows + wanted.batches() % perEpoch() * options.size();
            if (wanted.rows() != expected) {
                throw new IllegalArgumentException("expected %d rows before batch %d, got %d"
                        .formatted(expected, wanted.batches(), wanted.rows()));
            }
        }
        position = wanted;
    }

    /// The next batch.
    ///
    /// @throws FormatException if a file was changed, or if no batch without duplicates can be made
    public Batch<R> next() {
        return options.noDuplicates() ? withoutDuplicates() : plain();
    }

    private Batch<R> plain() {
        long number = position.batches() % perEpoch();
        long end = Math.min(rows, number * options.size() + options.size());
        List<Integer> taken = new ArrayList<>();
        List<R> contents = new ArrayList<>();
        long epoch = position.batches() / perEpoch();
        for (long i = number * options.size(); i < end; i++) {
            int row = order.row(epoch, (int) i);
            taken.add(row);
            contents.add(source.row(row, epoch));
        }
        boolean last = number == perEpoch() - 1;
        position = new BatchPosition(position.batches() + 1, epoch * rows + (last ? rows : end));
        return new Batch<>(epoch, number, taken, contents);
    }

    private Batch<R> withoutDuplicates() {
        List<Integer> taken = new ArrayList<>();
        List<R> contents = new ArrayList<>();
        Set<String> texts = new HashSet<>();
        long at = position.rows();
        long passedOver = 0;
        while (taken.size() < options.size()) {
            int row = order.row(at / rows, (int) (at % rows));
            R content = source.row(row, at / rows);
            at++;
            List<String> own = content.texts().stream()
                    .map(text -> text.toLowerCase(Locale.ROOT))
                    .toList();
            if (own.stream().noneMatch(texts::contains)) {
                taken.add(row);
                contents.add(content);
                texts.addAll(own);
                passedOver = 0;
            } else if (++passedOver >= 2 * rows) {
                // The rest of a pass and the whole next one had nothing to add.
                throw new FormatException("%s: expected %d rows without a text in common for a batch, found %d"
                        .formatted(source.name(), options.size(), taken.size()));
            }
        }
        Batch<R> batch = new Batch<>(position.batches() / perEpoch(), position.batches() % perEpoch(), taken, contents);
        position = new BatchPosition(position.batches() + 1, at);
        return batch;
    }
}
