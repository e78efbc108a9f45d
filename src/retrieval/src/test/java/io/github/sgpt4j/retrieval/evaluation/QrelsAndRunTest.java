package io.github.sgpt4j.retrieval.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.ScoredId;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QrelsAndRunTest {
    @TempDir
    Path folder;

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("file"), text);
    }

    private Qrels qrels(String text) throws IOException {
        return Qrels.read(write(text));
    }

    private Run run(String text) throws IOException {
        return Run.read(write(text));
    }

    @Test
    void readsBeirsJudgementsWithAndWithoutHeadings() throws IOException {
        for (String heading : List.of(
                "query-id\tcorpus-id\tscore\n", "query-id\tcorpus-id\tscore\r\n", "\uFEFFqid\tDoc\tRelevance\n", "")) {
            Qrels qrels = qrels(heading + "1\ta b\t2\n\n1\tc\t0\r\n2\ta b\t-1");
            assertEquals(List.of("1", "2"), List.copyOf(qrels.queries()));
            assertEquals(Map.of("a b", 2, "c", 0), qrels.of("1"));
            assertEquals(Map.of("a b", -1), qrels.of("2"));
            assertEquals(Map.of(), qrels.of("3"));
        }
    }

    @Test
    void aFirstLineThatIsNoHeadingIsReadAsEveryOther() throws IOException {
        for (String first : List.of("q1\td1\t1.0", "q1\td1\tx", "q1\td1\tscore", "q1\td1\t", "query\td1\t1.5")) {
            FormatException e = assertThrows(FormatException.class, () -> qrels(first + "\nq1\td2\t1\n"));
            assertTrue(e.getMessage().contains("line 1: expected a whole number as judgement"), e.getMessage());
        }
        // A query may have the id "query".
        assertEquals(Map.of("d1", 1), qrels("query\td1\t1\n").of("query"));
    }

    @Test
    void readsTrecsJudgements() throws IOException {
        for (String text : List.of("1 0 a 2\n1\t0\tc\t0\n", "# judged by hand\n\n  1   Q0  a 2 \n1 0 c 0")) {
            Qrels qrels = qrels(text);
            assertEquals(Map.of("a", 2, "c", 0), qrels.of("1"));
        }
    }

    @Test
    void readsPackedFiles() throws IOException {
        Path file = folder.resolve("qrels.tsv.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
            out.write("q\ta\t1\n".getBytes(StandardCharsets.UTF_8));
        }
        assertEquals(Map.of("a", 1), Qrels.read(file).of("q"));
        Files.writeString(file, "q\ta\t1\n");
        assertTrue(assertThrows(FormatException.class, () -> Qrels.read(file))
                .getMessage()
                .contains("gzip"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "query-id~corpus-id~score;q~a~1;q~b | line 3: expected query, document and judgement between tabs",
                "query-id~corpus-id~score;q~a~1;q~b~x | line 3: expected a whole number as judgement, got \"x\"",
                "query-id~corpus-id~score;q~a~1.5 | line 2: expected a whole number as judgement, got \"1.5\"",
                "q~a~1;q~a~99999999999 | line 2: expected a whole number as judgement",
                "q~a~1;q~b~1;q~a~2 | line 3: document \"a\" of query \"q\" is judged twice, 1 before and 2 here",
                "q~a~1;~b~1 | line 2: expected query, document and judgement",
                "q~a~1;q~b~1~1 | line 2: expected query, document and judgement",
                "q a 1 | line 1: expected judgements as BEIR writes them",
                "q 0 a 1;q 0 b | line 2: expected query, iteration, document and judgement",
                "q 0 a 1;q 0 b one | line 2: expected a whole number as judgement, got \"one\"",
                "query-id~corpus-id~score | expected judgements, found none",
                "# | expected judgements, found none",
                "; | expected judgements, found none",
            })
    void saysWhereJudgementsAreMalformed(String text, String expected) {
        FormatException e = assertThrows(
                FormatException.class, () -> qrels(text.replace('~', '\t').replace(';', '\n')));
        assertTrue(e.getMessage().contains(folder.resolve("file") + ": " + expected), e.getMessage());
    }

    @Test
    void allowsAJudgementThatIsRepeated() throws IOException {
        assertEquals(Map.of("a", 1), qrels("q\ta\t1\nq\ta\t1\n").of("q"));
    }

    @Test
    void readsRunsAsTrecEvalDoes() throws IOException {
        Run run = run(
                "# made by hand\nq Q0 a 1 2.5 tag\n\nq\tQ0\tb\t9\t-1e2\ttag and more\n  q 0 c x +.5 t\nr Q0 a 1 7. t");
        assertEquals(
                List.of(new ScoredId("a", 2.5f), new ScoredId("c", 0.5f), new ScoredId("b", -100)), run.ranking("q"));
        assertEquals(List.of(new ScoredId("a", 7)), run.ranking("r"));
        assertEquals(List.of("q", "r"), List.copyOf(run.queries()));
        assertEquals(List.of(), run.ranking("s"));
    }

    /// trec_eval keeps scores in 32 bits, so these two are equal and sorted by id.
    @Test
    void keepsScoresInSinglePrecision() throws IOException {
        Run run = run("q Q0 a 1 1.000000002 t\nq Q0 b 2 1.000000001 t\n");
        assertEquals("b", run.ranking("q").getFirst().id());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "q Q0 a 1 2 t;q Q0 b 2 NaN t | line 2: expected a finite number as score, got \"NaN\"",
                "q Q0 a 1 nan t | line 1: expected a finite number as score, got \"nan\"",
                "q Q0 a 1 -inf t | line 1: expected a finite number as score, got \"-inf\"",
                "q Q0 a 1 Infinity t | line 1: expected a finite number as score, got \"Infinity\"",
                "q Q0 a 1 1e39 t | line 1: expected a finite number as score, got \"1e39\"",
                "q Q0 a 1 1f t | line 1: expected a finite number as score, got \"1f\"",
                "q Q0 a 1 0x1p3 t | line 1: expected a finite number as score, got \"0x1p3\"",
                "q Q0 a 1 1,5 t | line 1: expected a finite number as score, got \"1,5\"",
                "q Q0 a 1 . t | line 1: expected a finite number as score, got \".\"",
                "q Q0 a 1 1 t;q Q0 b 2 1 t;q Q0 a 3 1 t | line 3: document \"a\" occurs a second time for query \"q\"",
                "q Q0 a 1 1 t;;q Q0 b 2 1 | line 3: expected query, Q0, document, rank, score and tag",
                "q | line 1: expected query, Q0, document, rank, score and tag, got \"q\"",
                "# | expected results, found none",
            })
    void saysWhereARunIsMalformed(String text, String expected) {
        FormatException e = assertThrows(FormatException.class, () -> run(text.replace(';', '\n')));
        assertTrue(e.getMessage().contains(folder.resolve("file") + ": " + expected), e.getMessage());
    }

    @Test
    void saysWhereTextIsNotUtf8() throws IOException {
        Path file = folder.resolve("latin1");
        Files.write(file, "q Q0 a 1 2 t\nq Q0 \u00E9 2 1 t\n".getBytes(StandardCharsets.ISO_8859_1));
        FormatException e = assertThrows(FormatException.class, () -> Run.read(file));
        assertTrue(e.getMessage().contains("line 2: expected UTF-8"), e.getMessage());
    }

    @Test
    void tellsMissingFilesAndFoldersApart() {
        assertThrows(NoSuchFileException.class, () -> Run.read(folder.resolve("none")));
        assertThrows(FormatException.class, () -> Run.read(folder));
        assertThrows(FormatException.class, () -> Qrels.read(folder));
    }

    @Test
    void writesRunsThatReadBackEqual() throws IOException {
        long seed = Long.getLong("sgpt4j.seed", 4711);
        Random random = new Random(seed);
        for (int round = 0; round < 50; round++) {
            Map<String, List<ScoredId>> results = new LinkedHashMap<>();
            for (int q = 0; q < 1 + random.nextInt(4); q++) {
                List<ScoredId> documents = new ArrayList<>();
                for (int d = 0; d < 1 + random.nextInt(20); d++) {
                    float score = Float.intBitsToFloat(random.nextInt());
                    documents.add(new ScoredId("é\u00A0" + d, Float.isFinite(score) ? score : d));
                }
                results.put("q" + q, documents);
            }
            Run run = Run.of(results);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            run.write(out, "tag");
            assertEquals(run, run(out.toString(StandardCharsets.UTF_8)), "seed " + seed);
        }
    }

    @Test
    void writesOneLinePerDocumentFromRankOne() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Run.of(Map.of("q", List.of(new ScoredId("b", 0.1f), new ScoredId("a", 1e-7f))))
                .write(out, "bm25");
        assertEquals("q Q0 b 1 0.1 bm25\nq Q0 a 2 1.0E-7 bm25\n", out.toString(StandardCharsets.UTF_8));
    }

    @Test
    void refusesToWriteIdsWithBlanks() {
        Run run = Run.of(Map.of("q", List.of(new ScoredId("a b", 1))));
        assertTrue(assertThrows(FormatException.class, () -> run.write(OutputStream.nullOutputStream(), "t"))
                .getMessage()
                .contains("\"a b\""));
    }

    /// Changes bytes of well-formed files: the outcome is a result or one of our own exceptions.
    @Test
    void survivesFuzzing() throws IOException {
        byte[] tsv = "query-id\tcorpus-id\tscore\n1\ta\t2\n2\tb\t0\n".getBytes(StandardCharsets.UTF_8);
        byte[] trec = "1 Q0 a 1 2.5e1 tag\n1 Q0 b 2 -3 tag\n".getBytes(StandardCharsets.UTF_8);
        long seed = Long.getLong("sgpt4j.seed", 99);
        Random random = new Random(seed);
        Path file = folder.resolve("fuzz");
        int read = 0;
        for (int round = 0; round < 3000; round++) {
            byte[] bytes = (round % 2 == 0 ? tsv : trec).clone();
            for (int i = 0; i < 1 + random.nextInt(4); i++) {
                byte[] choice = "\t\n #-.eN0\u00009\r".getBytes(StandardCharsets.UTF_8);
                bytes[random.nextInt(bytes.length)] =
                        random.nextBoolean() ? choice[random.nextInt(choice.length)] : (byte) random.nextInt();
            }
            Files.write(file, bytes);
            try {
                Qrels.read(file);
                read++;
            } catch (FormatException e) {
                assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
            }
            try {
                Run.read(file);
                read++;
            } catch (FormatException e) {
                assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
            }
        }
        assertTrue(read > 100, "only " + read + " read, seed " + seed);
    }
}
