package io.github.sgpt4j.server.metrics;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.DoubleAdder;

/// Counts observations by their size, in Prometheus' sense. Safe to share between threads.
public final class Histogram {
    private final double[] bounds;
    /// One for each bound, and one for what is larger than all.
    private final AtomicLongArray counts;
    private final DoubleAdder sum = new DoubleAdder();

    /// @param bounds largest value of each bucket, ascending
    Histogram(double[] bounds) {
        this.bounds = bounds.clone();
        counts = new AtomicLongArray(bounds.length + 1);
    }

    /// Buckets `first`, `first` × `factor`, …
    static Histogram exponential(double first, double factor, int count) {
        double[] bounds = new double[count];
        for (int i = 0; i < count; i++) {
            bounds[i] = first * Math.pow(factor, i);
        }
        return new Histogram(bounds);
    }

    /// Counts a value.
    public void observe(double value) {
        int bucket = 0;
        while (bucket < bounds.length && value > bounds[bucket]) {
            bucket++;
        }
        counts.incrementAndGet(bucket);
        sum.add(value);
    }

    void write(StringBuilder out, String name) {
        out.append("# TYPE ").append(name).append(" histogram\n");
        long total = 0;
        for (int i = 0; i < bounds.length; i++) {
            total += counts.get(i);
            out.append(name)
                    .append("_bucket{le=\"")
                    .append(bounds[i])
                    .append("\"} ")
                    .append(total)
                    .append('\n');
        }
        total += counts.get(bounds.length);
        out.append(name).append("_bucket{le=\"+Inf\"} ").append(total).append('\n');
        out.append(name).append("_sum ").append(sum.sum()).append('\n');
        out.append(name).append("_count ").append(total).append('\n');
    }
}
