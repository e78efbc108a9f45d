package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Vectors of a task's texts, each embedded once, stripped, as plain text: equal texts have equal
/// vectors.
final class TextVectors {
    private static final int TOGETHER = 1024;

    private final Map<String, float[]> vectors = new HashMap<>();

    private TextVectors() {}

    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    static TextVectors of(Collection<String> texts, TextEmbedder embedder, EvaluationListener listener, String task) {
        Set<String> distinct = new LinkedHashSet<>();
        texts.forEach(text -> distinct.add(TextRecord.strip(text)));
        List<String> all = new ArrayList<>(distinct);
        TextVectors result = new TextVectors();
        for (int from = 0; from < all.size(); from += TOGETHER) {
            Interrupts.check(task, from, all.size());
            long before = from;
            List<String> some = all.subList(from, Math.min(from + TOGETHER, all.size()));
            float[][] rows = embedder.embed(
                    some, TextKind.TEXT, (done, total) -> listener.update(task, before + done, all.size()));
            for (int i = 0; i < rows.length; i++) {
                result.vectors.put(some.get(i), rows[i]);
            }
        }
        return result;
    }

    /// @throws IllegalArgumentException for a text that was not embedded
    private float[] of(String text) {
        float[] vector = vectors.get(TextRecord.strip(text));
        if (vector == null) {
            throw new IllegalArgumentException("not embedded: " + ShownText.quoted(text));
        }
        return vector;
    }

    /// Rounded to 32 bits from 64-bit arithmetic, so that it is exactly 1 for equal vectors; 0 if
    /// either is zero.
    float cosine(String a, String b) {
        float[] x = of(a);
        float[] y = of(b);
        double norms = Math.sqrt(dot(x, x) * dot(y, y));
        return norms == 0 ? 0 : (float) (dot(x, y) / norms);
    }

    /// Euclidean distance of the vectors scaled to length 1; exactly 0 for equal vectors.
    float distance(String a, String b) {
        float[] x = of(a);
        float[] y = of(b);
        double scaleX = scale(x);
        double scaleY = scale(y);
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            double difference = x[i] * scaleX - y[i] * scaleY;
            sum += difference * difference;
        }
        return (float) Math.sqrt(sum);
    }

    private static double scale(float[] x) {
        double squares = dot(x, x);
        return squares == 0 ? 0 : 1 / Math.sqrt(squares);
    }

    private static double dot(float[] x, float[] y) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += (double) x[i] * y[i];
        }
        return sum;
    }
}
