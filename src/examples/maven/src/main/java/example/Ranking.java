package example;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.nano.NanoModel;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// Sorts texts by how near they are in meaning to a query.
public final class Ranking {
    private Ranking() {}

    public static void main(String[] arguments) {
        List<String> texts = List.of("a place where bread is made", "a morbid fear of spiders", "a small boat");
        try (BiEncoder encoder = NanoModel.open()) {
            nearestFirst(encoder, "being afraid of insects", texts).forEach(System.out::println);
        }
    }

    static List<String> nearestFirst(BiEncoder encoder, String query, List<String> texts) {
        float[] wanted = encoder.embedQuery(query);
        float[][] vectors = encoder.embedDocuments(texts);
        return IntStream.range(0, vectors.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -encoder.similarity(wanted, vectors[i])))
                .map(texts::get)
                .toList();
    }
}
