package io.github.sgpt4j.retrieval.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The four tasks on collections small enough to compute by hand. A text that is an angle in degrees
/// has the vector of that direction; other texts have the zero vector.
class UsebTasksTest {
    private static final TextEmbedder ANGLES = new TextEmbedder() {
        @Override
        public int dimension() {
            return 2;
        }

        @Override
        public float[][] embed(List<String> texts, TextKind kind, ProgressListener progress) {
            assertEquals(TextKind.TEXT, kind);
            return texts.stream().map(UsebTasksTest::vector).toArray(float[][]::new);
        }
    };

    @TempDir
    Path folder;

    private static float[] vector(String text) {
        if (!text.matches("-?[0-9]+")) {
            return new float[2];
        }
        double angle = Math.toRadians(Integer.parseInt(text));
        // Lengths differ, which must not matter.
        double length = 1 + Math.abs(Integer.parseInt(text));
        return new float[] {(float) (length * Math.cos(angle)), (float) (length * Math.sin(angle))};
    }

    private void write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private Map<String, Double> evaluate(Useb.Split split) throws IOException {
        List<UsebTask> tasks = Useb.open(folder, split);
        assertEquals(1, tasks.size());
        return Useb.evaluate(tasks.getFirst(), ANGLES, EvaluationListener.NONE).values();
    }

    private static void assertClose(double expected, Double actual) {
        assertEquals(expected, actual, 1e-12);
    }

    private void writeAskUbuntu() throws IOException {
        write(
                "askubuntu/text_tokenized.txt",
                "q\t 0 \tbody\na\t10\t\nb\t20\tx\nc\t10\tx\nd\t40\tx\ne\t50\tx\nf\t60\tx\n");
    }

    @Test
    void ranksCandidatesOfAskUbuntu() throws IOException {
        writeAskUbuntu();
        // By cosine: a and c are equal, and c has the better BM25 score; then b, d, e, f.
        write("askubuntu/test.txt", "q\tb e f\tf e d c b a\t1 2 3 4 5 0.5\nq\t\ta b\t1 2\nq\tc\ta c\t1 2\n");
        Map<String, Double> values = evaluate(Useb.Split.TEST);
        assertEquals(
                List.of("map_askubuntu_title", "p@1_askubuntu_title", "p@5_askubuntu_title", "mrr_askubuntu_title"),
                List.copyOf(values.keySet()));
        assertClose(((1 / 3.0 + 2 / 5.0 + 3 / 6.0) / 3 + 1) / 2, values.get("map_askubuntu_title"));
        assertClose((0 + 1) / 2.0, values.get("p@1_askubuntu_title"));
        assertClose((2 / 5.0 + 1 / 2.0) / 2, values.get("p@5_askubuntu_title"));
        assertClose((1 / 3.0 + 1) / 2, values.get("mrr_askubuntu_title"));
    }

    @Test
    void countsAQuestionWithoutHitsAsZero() throws IOException {
        writeAskUbuntu();
        write("askubuntu/dev.txt", "q\tb\ta c\t1 2\n");
        evaluate(Useb.Split.VALIDATION).values().forEach(value -> assertClose(0, value));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "q~a~a b | test.txt: line 1: expected question, similar questions, candidates and their scores",
                "q~a~a b~1 | test.txt: line 1: expected a score for each of at least one candidate, got 1 scores for 2",
                "q~a~a b~1 x | test.txt: line 1: expected a finite number as score, got \"x\"",
                "q~a~a b~1 NaN | test.txt: line 1: expected a finite number as score, got \"NaN\"",
                "q~a~a z~1 2 | test.txt: line 1: expected a question of text_tokenized.txt, got \"z\"",
                "z~a~a b~1 2 | test.txt: line 1: expected a question of text_tokenized.txt, got \"z\"",
                "q~~a b~1 2 | test.txt: expected questions with similar questions, found none",
            })
    void saysWhereAskUbuntuIsMalformed(String line, String expected) throws IOException {
        writeAskUbuntu();
        write("askubuntu/test.txt", line.replace('~', '\t'));
        assertFails(expected);
    }

    private void assertFails(String expected) {
        FormatException e = assertThrows(FormatException.class, () -> evaluate(Useb.Split.TEST));
        assertTrue(e.getMessage().contains(expected), e.getMessage());
    }

    @Test
    void ranksForumsOfCqaDupStack() throws IOException {
        write("cqadupstack/corpus.json", """
                {"x": {"q": "0", "r": "90", "a": "10", "b": "-10", "c": "30"},
                 "y": {"q": "0", "a": "5", "b": " 7 "}}""");
        // Forum x: q is another query's text and is not ranked; a and b are equally near. c is third of
        // three.
        write("cqadupstack/retrieval_split.json", """
                {"test": {"x": {"q": ["a", "c", "gone"], "r": []}, "y": {"q": ["b"]}}, "valid": {}}""");
        Map<String, Double> values = evaluate(Useb.Split.TEST);
        double log3 = Math.log(3) / Math.log(2);
        // a shares its threshold with b: precision 1/2; c: 2/3. r has nothing relevant: MAP 0, no nDCG.
        assertClose((1 / 2.0 + 2 / 3.0) / 2 / 2, values.get("map@100_cqadupstack_x"));
        assertClose(1 / 2.0, values.get("map@100_cqadupstack_y"));
        assertClose((7 / 24.0 + 1 / 2.0) / 2, values.get("map@100_cqadupstack_avg"));
        assertClose(1 / log3, values.get("ndcg@10_cqadupstack_y"));
        // a may be first or second of the two equal texts.
        double ideal = 1 + 1 / log3 + 1 / 2.0;
        double ndcg = values.get("ndcg@10_cqadupstack_x") * ideal;
        assertTrue(Math.abs(ndcg - 1.5) < 1e-12 || Math.abs(ndcg - 1 / log3 - 0.5) < 1e-12, "got " + ndcg);
    }

    @Test
    void ranksPapersOfSciDocs() throws IOException {
        String part = """
                {"q": {"a": 1, "b": 0, "c": 1, "none": 1}, "none": {"a": 1}, "unknown": {"a": 1}}""";
        write("scidocs/data.json", """
                {"corpus": {"q": {"title": "0"}, "a": {"title": "40"}, "b": {"title": "20"}, "c": {"title": "10"},
                            "none": {"title": null}},
                 "test": {"cite": %s, "cocite": %s, "coview": %s, "coread": %s}}""".formatted(part, part, part, part));
        Map<String, Double> values = evaluate(Useb.Split.TEST);
        assertEquals(20, values.size());
        double log3 = Math.log(3) / Math.log(2);
        for (String distance : List.of("cosine", "euclidean")) {
            // c, b, a; the paper without a title is relevant and not found.
            assertClose((1 + 2 / 3.0) / 3, values.get("map_scidocs_cite_" + distance));
            assertClose((1 + 1 / 2.0) / (1 + 1 / log3 + 1 / 2.0), values.get("ndcg_scidocs_coread_" + distance));
            assertClose(5 / 9.0, values.get("map_scidocs_" + distance + "_avg"));
        }
    }

    @Test
    void scoresPairsOfTwitter() throws IOException {
        // Cosines fall from line to line; the last two lines are equal texts, with cosine 1.
        write(
                "twitterpara/Twitter_URL_Corpus_test.txt",
                "0\t10\t(6, 6)\tu\n0\t20\t(2, 6)\tu\n0\t30\t(3, 6)\tu\n0\t40\t(4, 6)\tu\n7\t7\t(0, 6)\tu\n8\t8 \t(5, 6)\tu\n");
        write("twitterpara/test.data", "1\tt\t0\t10\t5\tx\ty\n2\tt\t0\t20\t1\tx\ty\n");
        Map<String, Double> values = evaluate(Useb.Split.VALIDATION);
        // Ranked: (0 and 5 together), 6, 2, 4, of which 5, 6 and 4 are paraphrases.
        assertClose((1 / 2.0 + 2 / 3.0 + 3 / 5.0) / 3, values.get("ap_twitter_twitterurl"));
        assertClose(1, values.get("ap_twitter_pit"));
        assertClose(1, values.get("spearman_twitter_pit"));
        // Ranks by label 6 2 3 4 1 5, by cosine 4 3 2 1 5.5 5.5: 1 - 6·Σd²/(n³-n) does not hold with
        // ties.
        assertClose(
                pearson(new double[] {6, 2, 3, 4, 1, 5}, new double[] {4, 3, 2, 1, 5.5, 5.5}),
                values.get("spearman_twitter_twitterurl"));
    }

    private static double pearson(double[] x, double[] y) {
        double xy = 0;
        double xx = 0;
        double yy = 0;
        for (int i = 0; i < x.length; i++) {
            xy += (x[i] - 3.5) * (y[i] - 3.5);
            xx += (x[i] - 3.5) * (x[i] - 3.5);
            yy += (y[i] - 3.5) * (y[i] - 3.5);
        }
        return xy / Math.sqrt(xx * yy);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0~10~(6, 6)~u;0~20 | Twitter_URL_Corpus_test.txt: line 2: expected at least 3 fields between tabs, got 2",
                "0~10~6 | Twitter_URL_Corpus_test.txt: line 1: expected a label such as (4, 6), got \"6\"",
                "0~10~(6, 6) | Twitter_URL_Corpus_test.txt: expected pairs with different labels, found none",
            })
    void saysWhereTwitterParaIsMalformed(String text, String expected) throws IOException {
        write("twitterpara/Twitter_URL_Corpus_test.txt", text.replace('~', '\t').replace(';', '\n'));
        write("twitterpara/test.data", "1\tt\t0\t10\t5\tx\ty\n");
        assertFails(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{ | data.json: not valid JSON at line 1, column 2: expected more, got the end",
                "{a | data.json: not valid JSON at line 1, column 2: expected a key in double quotes, got a",
                "{} {} | data.json: not valid JSON at line 1, column 4: expected the end, got more",
                "5 | data.json: expected an object, got a number",
                "[] | data.json: expected an object",
                "{'corpus': {}} | data.json: expected a field \"test\", found none",
                "{'corpus': {'a': {}}, 'test': {}} | data.json: corpus: a: expected a field \"title\", found none",
                "{'corpus': {'a': {'title': 5}}, 'test': {}} | data.json: corpus: a: title: expected a string, got a number",
                "{'corpus': {'a': {'title': 'x'}}, 'test': {'cite': {'a': {'a': 'b'}}}} | cite: a: a: expected a whole",
                "{'corpus': {'a': {'title': 'x'}}, 'test': {'cite': {}}} | test: cite: expected queries with a title",
            })
    void saysWhereSciDocsIsMalformed(String json, String expected) throws IOException {
        write("scidocs/data.json", json.replace('\'', '"'));
        assertFails(expected);
    }

    @Test
    void survivesDeeplyNestedJson() throws IOException {
        write("scidocs/data.json", "[".repeat(1_000_000));
        assertFails("data.json: not valid JSON: Document nesting depth: got 1001, expected at most 1000");
    }

    @Test
    void needsAFolderOfATask() {
        assertFails("expected a folder of a task of USEB (askubuntu, cqadupstack, scidocs, twitterpara)");
        assertThrows(IllegalArgumentException.class, () -> Useb.Split.parse("train"));
    }

    @Test
    void computesAveragePrecisionAndCorrelationAsDefined() {
        assertClose(0, ScoreStatistics.averagePrecision(List.of(false, false), new float[] {1, 2}));
        assertClose(
                (1 + 2 / 3.0) / 2, ScoreStatistics.averagePrecision(List.of(true, false, true), new float[] {3, 2, 1}));
        assertClose(0.5, ScoreStatistics.averagePrecision(List.of(true, false), new float[] {1, 1}));
        assertClose(-1, ScoreStatistics.spearman(new double[] {1, 2, 9}, new double[] {5, 4, -7}));
        assertThrows(
                IllegalArgumentException.class,
                () -> ScoreStatistics.spearman(new double[] {1, 1}, new double[] {1, 2}));
    }

    /// Average precision by its definition: every distinct score is a threshold.
    @Test
    void averagePrecisionAgreesWithANaiveOne() {
        Random random = new Random(Long.getLong("sgpt4j.seed", 3));
        for (int round = 0; round < 200; round++) {
            int n = 1 + random.nextInt(12);
            float[] scores = new float[n];
            Boolean[] relevant = new Boolean[n];
            for (int i = 0; i < n; i++) {
                scores[i] = random.nextInt(5);
                relevant[i] = random.nextBoolean();
            }
            double expected = 0;
            double recall = 0;
            for (int threshold = 4; threshold >= 0; threshold--) {
                double passed = 0;
                double hits = 0;
                double all = 0;
                for (int i = 0; i < n; i++) {
                    passed += scores[i] >= threshold ? 1 : 0;
                    hits += scores[i] >= threshold && relevant[i] ? 1 : 0;
                    all += relevant[i] ? 1 : 0;
                }
                if (all > 0 && passed > 0) {
                    expected += hits / passed * (hits / all - recall);
                    recall = hits / all;
                }
            }
            assertEquals(expected, ScoreStatistics.averagePrecision(List.of(relevant), scores), 1e-12);
        }
    }
}
