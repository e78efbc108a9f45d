package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceRows;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/// Checks of operands that all backends share.
public final class OperandChecks {
    private OperandChecks() {}

    /// @throws IllegalArgumentException unless all `rows` are rows of `x`
    public static void rows(int[] rows, Tensor x, String operation) {
        for (int row : rows) {
            if (row < 0 || row >= x.rows()) {
                throw new IllegalArgumentException(
                        "%s: expected rows in [0, %d), got %d".formatted(operation, x.rows(), row));
            }
        }
    }

    /// @throws IllegalArgumentException unless these are valid operands of [Backend#pool]
    public static void pool(Tensor x, SequenceRows sequences, int[] skip, List<PoolMode> modes) {
        if (modes.isEmpty()
                || skip.length != sequences.count()
                || Arrays.stream(skip).anyMatch(s -> s < 0)) {
            throw new IllegalArgumentException(
                    "pool: expected a skip of at least 0 for each of %d sequences, and a mode, got skip %s and modes %s"
                            .formatted(sequences.count(), Arrays.toString(skip), modes));
        }
        rows(sequences.rows(), x, "pool");
    }

    /// @throws IllegalArgumentException if one of `rows`, which are rows of `x`, occurs twice
    public static void distinct(int[] rows, Tensor x, String operation) {
        if (areAscending(rows)) {
            return;
        }
        BitSet seen = new BitSet(x.rows());
        for (int row : rows) {
            if (seen.get(row)) {
                throw new IllegalArgumentException(
                        "%s: expected distinct rows, got row %d twice".formatted(operation, row));
            }
            seen.set(row);
        }
    }

    private static boolean areAscending(int[] rows) {
        for (int i = 1; i < rows.length; i++) {
            if (rows[i] <= rows[i - 1]) {
                return false;
            }
        }
        return true;
    }

    /// @throws IllegalArgumentException unless each segment is a sequence of its own, without cached tokens
    public static void sequences(PackedBatch batch, String operation) {
        for (int parent : batch.parents()) {
            if (parent != PackedBatch.NO_PARENT || batch.cachedTokens() > 0) {
                throw new IllegalArgumentException(
                        "%s: expected independent sequences without cached tokens, got %s with parents %s"
                                .formatted(operation, batch, Arrays.toString(batch.parents())));
            }
        }
    }

    /// @throws IllegalArgumentException unless attention fits the batch: see [Backend#attention]
    public static void attention(PackedBatch batch, AttentionParameters parameters) {
        if (parameters.bidirectional()) {
            sequences(batch, "attention in both directions");
        }
    }

    /// @throws IllegalArgumentException unless [Backward#attention] knows the gradient
    public static void attentionGradient(AttentionParameters parameters) {
        if (parameters.bidirectional() || parameters.softcap() > 0) {
            throw new IllegalArgumentException(
                    "gradient of attention: expected causal attention without a bound of scores, got bidirectional %s, bound %s"
                            .formatted(parameters.bidirectional(), parameters.softcap()));
        }
    }

    /// @throws IllegalArgumentException unless these are valid operands of [Backend#softmax]
    public static void softmax(Tensor x, int columns) {
        if (columns < 1 || x.columns() % columns != 0) {
            throw new IllegalArgumentException("softmax: expected groups that divide %d columns, got groups of %d"
                    .formatted(x.columns(), columns));
        }
    }

    /// @throws IllegalArgumentException unless the bound of logits is finite and at least 0
    public static void softcap(float softcap, String operation) {
        if (!(softcap >= 0) || Float.isInfinite(softcap)) {
            throw new IllegalArgumentException(
                    "%s: expected a finite bound, at least 0, got %s".formatted(operation, softcap));
        }
    }

    /// @throws IllegalArgumentException unless the softmax runs over 1 to `head.out()` rows, and over all targets
    public static void vocabulary(int vocabulary, Linear head, int[] targets, String operation) {
        if (vocabulary < 1 || vocabulary > head.out()) {
            throw new IllegalArgumentException(
                    "%s: expected a vocabulary of 1 to %d rows, got %d".formatted(operation, head.out(), vocabulary));
        }
        for (int target : targets) {
            if (target < 0 || target >= vocabulary) {
                throw new IllegalArgumentException(
                        "%s: expected targets in [0, %d), got %d".formatted(operation, vocabulary, target));
            }
        }
    }

    /// @throws IllegalArgumentException if a norm of this kind has no gain
    public static void gain(Norm norm, String operation) {
        if (norm.parameters().kind() == NormParameters.Kind.IDENTITY) {
            throw new IllegalArgumentException(
                    "%s: expected a LAYER or RMS norm, got IDENTITY, which has no gain".formatted(operation));
        }
    }

    /// @throws IllegalArgumentException unless these are valid operands of [Sums#read]
    public static void readSums(Sums sums, int row, double[] target) {
        if (row < 0 || row >= sums.rows() || target.length != sums.columns()) {
            throw new IllegalArgumentException(
                    "sums [%d, %d]: expected a row of them and as many columns, got row %d and %d columns"
                            .formatted(sums.rows(), sums.columns(), row, target.length));
        }
    }

    /// @throws IllegalArgumentException unless sums have this shape
    public static void sums(Sums sums, int rows, int columns, String operation) {
        if (sums.rows() != rows || sums.columns() != columns) {
            throw new IllegalArgumentException("%s: expected sums [%d, %d], got [%d, %d]"
                    .formatted(operation, rows, columns, sums.rows(), sums.columns()));
        }
    }

    /// @throws IllegalArgumentException unless all `indices`, shifted by `offset`, are rows of a table of `rows` rows
    public static void tableRows(int[] indices, int offset, int rows, String operation) {
        for (int index : indices) {
            long row = (long) index + offset;
            if (row < 0 || row >= rows) {
                throw new IllegalArgumentException(
                        "%s: expected table rows in [0, %d), got %d".formatted(operation, rows, row));
            }
        }
    }
}
