package io.github.sgpt4j.training.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.evaluation.EvaluationListener;
import io.github.sgpt4j.retrieval.evaluation.ScoreStatistics;
import io.github.sgpt4j.training.data.DataForm;
import io.github.sgpt4j.training.data.DataOptions;
import io.github.sgpt4j.training.data.ScoredPairs;
import io.github.sgpt4j.training.data.TrainingData;
import io.github.sgpt4j.training.data.Triple;
import io.github.sgpt4j.training.data.TripleSource;
import io.github.sgpt4j.training.run.Evaluation;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Evaluations of a golden model, against what a plain bi-encoder gives.
class EvaluationsTest {
    private static final Path MODEL = Path.of("../engine/src/test/resources/goldens/models/gptneo-be");
    private static final BiEncoderOptions ENCODING =
            BiEncoderOptions.DEFAULT.withSpecb(true).withMaxLength(12).withBatchTokens(40);

    @TempDir
    Path folder;

    private static TrainableModel model() {
        return TrainableModel.open(
                MODEL, ModelOptions.DEFAULT.withDevice("cpu").withThreads(2), ENCODING, tensor -> tensor.isBias());
    }

    private TripleSource rows(int count, boolean negatives) throws IOException {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            // Some rows have longer texts than the model may read.
            String tail = " and so on".repeat(i % 4 * 3);
            lines.add("query %d%s\tabout %d%s".formatted(i, tail, i % 5, tail) + (negatives ? "\tnot " + i : ""));
        }
        return TrainingData.open(Files.write(folder.resolve("rows.tsv"), lines), DataForm.AUTO, DataOptions.DEFAULT);
    }

    private static double cosine(float[] a, float[] b) {
        double ab = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            ab += (double) a[i] * b[i];
            aa += (double) a[i] * a[i];
            bb += (double) b[i] * b[i];
        }
        return ab / Math.sqrt(aa * bb);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void devRowsAreMeasuredAsABatchOfTrainingWouldBe(boolean negatives) throws IOException {
        try (TripleSource data = rows(11, negatives);
                TrainableModel model = model();
                BiEncoder encoder = BiEncoder.of(model.model(), ENCODING)) {
            List<Long> told = new ArrayList<>();
            Evaluation evaluation = new DevEvaluation(data, 4, 20);
            Map<String, Double> scores = evaluation.scores(model, (task, done, total) -> told.add(done));
            double loss = 0;
            int right = 0;
            // 11 rows in three batches of about the same size.
            for (List<Integer> batch : List.of(List.of(0, 1, 2), List.of(3, 4, 5, 6), List.of(7, 8, 9, 10))) {
                List<Triple> triples =
                        batch.stream().map(row -> data.row(row, 0)).toList();
                List<String> candidates = Stream.concat(
                                triples.stream().map(Triple::positive),
                                triples.stream().flatMap(triple -> triple.negatives().stream()))
                        .toList();
                for (int row = 0; row < triples.size(); row++) {
                    float[] anchor = encoder.embedQuery(triples.get(row).anchor());
                    double[] cosines = candidates.stream()
                            .mapToDouble(text -> cosine(anchor, encoder.embedDocument(text)))
                            .toArray();
                    int own = row;
                    boolean first =
                            IntStream.range(0, cosines.length).allMatch(i -> i == own || cosines[i] < cosines[own]);
                    right += first ? 1 : 0;
                    loss += Math.log(IntStream.range(0, cosines.length)
                            .mapToDouble(i -> Math.exp(20 * (cosines[i] - cosines[own])))
                            .sum());
                }
            }
            assertEquals(List.of("dev_accuracy", "dev_loss"), List.copyOf(scores.keySet()));
            assertEquals("dev_accuracy", evaluation.name());
            assertEquals(right / 11.0, scores.get("dev_accuracy"));
            assertEquals(loss / 11, scores.get("dev_loss"), 1e-3);
            assertEquals(List.of(0L, 3L, 7L, 11L), told);
            assertEquals(data.files().getFirst().sha256(), evaluation.source());
            assertEquals(scores, evaluation.scores(model, EvaluationListener.NONE), "the same bits again");
        }
    }

    @Test
    void oneRowLeavesNothingToChooseFrom() throws IOException {
        try (TripleSource data = rows(1, false)) {
            String said = assertThrows(FormatException.class, () -> new DevEvaluation(data, 4, 20))
                    .getMessage();
            assertTrue(
                    said.endsWith("expected at least two rows, or a negative, to choose positives from, got one row"));
        }
        try (TripleSource data = rows(1, true);
                TrainableModel model = model()) {
            assertTrue(new DevEvaluation(data, 4, 20)
                    .scores(model, EvaluationListener.NONE)
                    .containsKey("dev_accuracy"));
        }
    }

    private ScoredPairs pairs(String text) throws IOException {
        return ScoredPairs.read(Files.writeString(folder.resolve("pairs.tsv"), text));
    }

    @Test
    void pairsAreMeasuredBySpearmansCorrelationOfCosines() throws IOException {
        ScoredPairs pairs = pairs("""
                a cat\tthe cat\t5
                a cat\ta dog and so on and so on and so on and so on\t2.5
                bread\ta doctor\t0
                water\twater\t5
                the sea\twater\t3
                """);
        try (TrainableModel model = model();
                BiEncoder encoder = BiEncoder.of(model.model(), ENCODING)) {
            List<Long> told = new ArrayList<>();
            Evaluation evaluation = new StsEvaluation(pairs);
            Map<String, Double> scores = evaluation.scores(model, (task, done, total) -> told.add(done));
            double expected = ScoreStatistics.spearman(
                    pairs.pairs().stream().mapToDouble(ScoredPairs.Pair::score).toArray(),
                    pairs.pairs().stream()
                            .mapToDouble(
                                    pair -> (float) cosine(encoder.embed(pair.first()), encoder.embed(pair.second())))
                            .toArray());
            assertEquals(Map.of("sts_spearman", expected), scores);
            assertEquals("sts_spearman", evaluation.name());
            assertEquals(0, told.getFirst());
            assertEquals(7, told.getLast(), "texts that differ");
            assertEquals(pairs.file().sha256(), evaluation.source());
        }
    }

    @Test
    void cosinesWithoutAnOrderHaveNoCorrelation() throws IOException {
        ScoredPairs pairs = pairs("a cat\ta cat\t5\nwater\twater\t0\n");
        try (TrainableModel model = model()) {
            assertEquals(Map.of("sts_spearman", 0.0), new StsEvaluation(pairs).scores(model, EvaluationListener.NONE));
        }
    }

    private Path collection(String name, String relevant) throws IOException {
        Path made = Files.createDirectories(folder.resolve(name));
        Files.createDirectories(made.resolve("qrels"));
        Files.writeString(made.resolve("corpus.jsonl"), """
                {"_id": "1", "text": "the cat sat there"}
                {"_id": "2", "title": "sea", "text": "a large body of water"}
                {"_id": "3", "text": "bread is made of flour"}
                """);
        Files.writeString(made.resolve("queries.jsonl"), """
                {"_id": "q", "text": "the cat"}
                {"_id": "r", "text": "bread"}
                """);
        Files.writeString(
                made.resolve("qrels/test.tsv"), "query-id\tcorpus-id\tscore\nq\t1\t1\nr\t%s\t1\n".formatted(relevant));
        return made;
    }

    @Test
    void collectionsAreSearchedAsTheirUsersWould() throws IOException {
        Path one = collection("one", "3");
        Path two = collection("two", "2");
        try (TrainableModel model = model();
                BiEncoder encoder = BiEncoder.of(model.model(), ENCODING)) {
            double first = (ndcg(encoder, "the cat", 0) + ndcg(encoder, "bread", 2)) / 2;
            double second = (ndcg(encoder, "the cat", 0) + ndcg(encoder, "bread", 1)) / 2;
            Evaluation both = new SearchEvaluation(List.of(one, two));
            Map<String, Double> scores = both.scores(model, EvaluationListener.NONE);
            assertEquals(List.of("ndcg_cut_10", "ndcg_cut_10 one", "ndcg_cut_10 two"), List.copyOf(scores.keySet()));
            assertEquals((first + second) / 2, scores.get("ndcg_cut_10"), 1e-12);
            assertEquals(first, scores.get("ndcg_cut_10 one"), 1e-12);
            assertEquals(second, scores.get("ndcg_cut_10 two"), 1e-12);
            assertTrue(both.source().matches("one [0-9a-f]{64}, two [0-9a-f]{64}"), both.source());
            assertEquals(
                    Map.of("ndcg_cut_10", scores.get("ndcg_cut_10 one")),
                    new SearchEvaluation(List.of(one)).scores(model, EvaluationListener.NONE));
        }
        String said = assertThrows(
                        FormatException.class, () -> new SearchEvaluation(List.of(one, one.resolve("../one"))))
                .getMessage();
        assertTrue(said.endsWith("expected collections with different names, got two with this one"), said);
    }

    @Test
    void aCollectionIsKnownByItsContents() throws IOException {
        Path one = collection("one", "3");
        String source = new SearchEvaluation(List.of(one)).source();
        assertEquals(source, new SearchEvaluation(List.of(collection("again/one", "3"))).source());
        for (String name : List.of("corpus.jsonl", "queries.jsonl", "qrels/test.tsv")) {
            Path file = one.resolve(name);
            String before = Files.readString(file);
            Path packed = one.resolve(name + ".gz");
            try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
                out.write(before.getBytes(StandardCharsets.UTF_8));
            }
            Files.delete(file);
            assertEquals(source, new SearchEvaluation(List.of(one)).source(), name);
            Files.delete(packed);
            Files.writeString(file, before.replace("\n", "\r\n"));
            assertNotEquals(source, new SearchEvaluation(List.of(one)).source(), name);
            Files.writeString(file, before);
        }
    }

    /// Of one relevant document among three.
    private static double ndcg(BiEncoder encoder, String query, int relevant) {
        float[] anchor = encoder.embedQuery(query);
        double[] cosines = Stream.of("the cat sat there", "sea a large body of water", "bread is made of flour")
                .mapToDouble(text -> cosine(anchor, encoder.embedDocument(text)))
                .toArray();
        long before = IntStream.range(0, 3)
                .filter(i -> cosines[i] > cosines[relevant])
                .count();
        return Math.log(2) / Math.log(before + 2);
    }

    @Test
    void anInterruptEndsEveryEvaluation() throws IOException {
        ScoredPairs pairs = pairs("a cat\tthe cat\t5\nwater\ta doctor\t0\n");
        Path one = collection("one", "3");
        try (TripleSource data = rows(3, true);
                TrainableModel model = model()) {
            List<Evaluation> all = List.of(
                    new DevEvaluation(data, 2, 20), new StsEvaluation(pairs), new SearchEvaluation(List.of(one)));
            for (Evaluation evaluation : all) {
                Thread.currentThread().interrupt();
                assertThrows(CancelledException.class, () -> evaluation.scores(model, EvaluationListener.NONE));
                assertTrue(Thread.interrupted());
            }
        }
    }

    @Test
    void whatWasCutIsCountedApartFromWhatIsTrainedWith() throws IOException {
        try (TripleSource data = rows(4, false);
                TrainableModel model = model()) {
            new DevEvaluation(data, 4, 20).scores(model, EvaluationListener.NONE);
            assertEquals(4, model.measuredTruncation(TextKind.QUERY).texts());
            assertTrue(model.measuredTruncation(TextKind.QUERY).truncated() > 0);
            assertEquals(12, model.measuredTruncation(TextKind.DOCUMENT).maxLength());
            assertEquals(0, model.measuredTruncation(TextKind.TEXT).texts());
            for (TextKind kind : TextKind.values()) {
                assertEquals(0, model.truncation(kind).texts());
            }
        }
    }
}
