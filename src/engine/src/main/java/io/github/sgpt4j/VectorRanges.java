package io.github.sgpt4j;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The smallest and the largest value of each component among some embeddings, to which
/// [VectorPrecision#INT8] and [VectorPrecision#UINT8] are relative. Immutable.
///
/// Vectors can be compared only if they were quantised with the same ranges: those of documents, kept
/// in a file ([#write]), are also needed for queries.
public final class VectorRanges {
    /// Embeddings below which sentence-transformers warns that the ranges say little.
    public static final int FEW_EMBEDDINGS = 100;

    private final float[] least;
    private final float[] largest;
    private final long embeddings;
    private final @Nullable String fingerprint;

    /// @param fingerprint null if unknown
    private VectorRanges(float[] least, float[] largest, long embeddings, @Nullable String fingerprint) {
        this.least = least;
        this.largest = largest;
        this.embeddings = embeddings;
        this.fingerprint = fingerprint;
    }

    /// Ranges that are known.
    ///
    /// @param least smallest values, `[dimension]`; copied
    /// @param largest largest values, `[dimension]`; copied
    /// @throws IllegalArgumentException if the lengths differ or are 0, a value is not finite, or a
    ///     smallest one is above its largest
    public static VectorRanges of(float[] least, float[] largest) {
        return of(least, largest, 0, Optional.empty());
    }

    /// @param embeddings how many they are of, 0 if unknown
    static VectorRanges of(float[] least, float[] largest, long embeddings, Optional<String> fingerprint) {
        if (least.length != largest.length || least.length == 0) {
            throw new IllegalArgumentException("ranges: expected as many smallest as largest values, got %d and %d"
                    .formatted(least.length, largest.length));
        }
        for (int i = 0; i < least.length; i++) {
            if (!Float.isFinite(least[i]) || !Float.isFinite(largest[i]) || least[i] > largest[i]) {
                throw new IllegalArgumentException(
                        "ranges: component %d: expected finite numbers, the smallest first, got %s and %s"
                                .formatted(i + 1, least[i], largest[i]));
            }
            if (!Float.isFinite(largest[i] - least[i])) {
                throw new IllegalArgumentException(
                        "ranges: component %d: expected a finite distance of %s and %s, got an infinite one"
                                .formatted(i + 1, least[i], largest[i]));
            }
        }
        return new VectorRanges(least.clone(), largest.clone(), embeddings, fingerprint.orElse(null));
    }

    /// The ranges of embeddings.
    ///
    /// @param embeddings `[rows][dimension]`, at least one row
    /// @throws IllegalArgumentException if there is none, the lengths differ, or a value is not finite
    public static VectorRanges of(float[][] embeddings) {
        Builder builder = new Builder();
        for (float[] embedding : embeddings) {
            builder.add(embedding);
        }
        return builder.build();
    }

    /// Collects the ranges of embeddings that are not in memory together.
    public static final class Builder {
        private float @Nullable [] least;
        private float[] largest = {};
        private long count;

        /// Without embeddings yet.
        public Builder() {}

        /// Takes one more embedding into account.
        ///
        /// @param embedding `[dimension]`, read only during the call
        /// @throws IllegalArgumentException if it is empty, has another length than the first, or is
        ///     not finite
        public void add(float[] embedding) {
            float[] low = least == null ? embedding.clone() : least;
            if (least == null) {
                largest = embedding.clone();
            }
            if (embedding.length != low.length || low.length == 0) {
                throw new IllegalArgumentException("embedding %d: expected %d numbers, got %d"
                        .formatted(count + 1, Math.max(1, low.length), embedding.length));
            }
            for (int i = 0; i < low.length; i++) {
                if (!Float.isFinite(embedding[i])) {
                    throw new IllegalArgumentException("embedding %d: component %d: expected a finite number, got %s"
                            .formatted(count + 1, i + 1, embedding[i]));
                }
                low[i] = Math.min(low[i], embedding[i]);
                largest[i] = Math.max(largest[i], embedding[i]);
            }
            least = low;
            count++;
        }

        /// Embeddings so far.
        public long count() {
            return count;
        }

        /// The ranges.
        ///
        /// @throws IllegalArgumentException if there was no embedding
        public VectorRanges build() {
            if (least == null) {
                throw new IllegalArgumentException("ranges: expected embeddings, got none");
            }
            return of(least, largest, count, Optional.empty());
        }
    }

    /// These, noted as ranges of what an encoder computes.
    ///
    /// @param value [BiEncoder#fingerprint]
    public VectorRanges withFingerprint(String value) {
        return new VectorRanges(least, largest, embeddings, Objects.requireNonNull(value, "fingerprint"));
    }

    /// Reads what [#write] wrote.
    ///
    /// @throws FormatException if the file is missing, or no file of ranges; it names the key
    public static VectorRanges read(Path file) {
        return RangesFile.read(file);
    }

    /// Writes them as a JSON object; reading gives the same numbers.
    ///
    /// @param out stays open
    /// @throws IOException if it cannot be written
    public void write(OutputStream out) throws IOException {
        RangesFile.write(this, out);
    }

    /// Number of components.
    public int dimension() {
        return least.length;
    }

    /// The smallest value of a component.
    public float least(int component) {
        return least[component];
    }

    /// The largest value of a component.
    public float largest(int component) {
        return largest[component];
    }

    /// How many embeddings they were made from; 0 if unknown.
    public long embeddings() {
        return embeddings;
    }

    /// Components whose smallest and largest values are the same: all their values become 0 or 255.
    public int constantComponents() {
        int count = 0;
        for (int i = 0; i < least.length; i++) {
            count += least[i] == largest[i] ? 1 : 0;
        }
        return count;
    }

    /// What computed the embeddings ([BiEncoder#fingerprint]), if it is known.
    public Optional<String> fingerprint() {
        return Optional.ofNullable(fingerprint);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof VectorRanges ranges
                && Arrays.equals(least, ranges.least)
                && Arrays.equals(largest, ranges.largest);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(least) + Arrays.hashCode(largest);
    }

    @Override
    public String toString() {
        return "VectorRanges[%d components of %d embeddings]".formatted(least.length, embeddings);
    }
}
