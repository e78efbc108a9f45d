package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Another process writes an index and is killed without warning (SIGKILL), again and again.
class KilledIndexingTest {
    private static final Path MODEL = Path.of("../engine/src/test/resources/goldens/models/gptneo-be");
    private static final int DOCUMENTS = 1500;
    private static final int BATCH = 75;
    private static final int KILLS = 4;

    @TempDir
    private Path folder;

    @Test
    void losesNothingThatWasCommittedAndGoesOn() throws IOException, InterruptedException {
        long seed = Long.getLong("sgpt4j.seed", System.nanoTime());
        System.out.println("KilledIndexingTest: -Dsgpt4j.seed=" + seed);
        Random random = new Random(seed);
        long committed = 0;
        try (BiEncoder encoder = BiEncoder.open(MODEL)) {
            for (int i = 0; i < KILLS; i++) {
                committed = Math.max(committed, writeAndKill(random, encoder));
                checkContents(committed, encoder);
            }
            Process last = start();
            List<String> lines = lines(last);
            assertEquals(0, last.waitFor(), lines.toString());
            String[] end = lines.getLast().split(" ");
            assertEquals("done", end[0]);
            assertTrue(Long.parseLong(end[1]) >= committed, end[1] + " unchanged, of at least " + committed);
            assertEquals(DOCUMENTS, checkContents(DOCUMENTS, encoder));
        }
    }

    @Test
    void isReadWhileAnotherProcessWritesAndHasNoSecondWriter() throws IOException, InterruptedException {
        Process writer = start();
        try (BiEncoder encoder = BiEncoder.open(MODEL);
                BufferedReader out = reader(writer)) {
            assertEquals("ready", out.readLine());
            String message = assertThrows(IndexInUseException.class, () -> SemanticIndex.open(folder, encoder))
                    .getMessage();
            assertTrue(message.contains("another process"), message);
            try (SemanticIndex index = SemanticIndex.openReadOnly(folder, encoder)) {
                for (String line = out.readLine(); line.startsWith("committed"); line = out.readLine()) {
                    index.refresh();
                    int size = index.size();
                    assertTrue(size >= Integer.parseInt(line.split(" ")[1]), line + ", but " + size + " seen");
                    assertEquals(5, index.search("text number 7", 5).size());
                }
            }
            assertEquals(0, writer.waitFor());
        } finally {
            writer.destroyForcibly();
        }
    }

    /// @return documents that the process reported as committed
    private long writeAndKill(Random random, BiEncoder encoder) throws IOException, InterruptedException {
        Process process = start();
        try (BufferedReader out = reader(process)) {
            String line = out.readLine();
            assertEquals("ready", line);
            // During the work: after some commits and a random moment.
            int commits = random.nextInt(DOCUMENTS / BATCH / KILLS);
            long seen = 0;
            for (int i = 0; i < commits && line != null && !line.startsWith("done"); i++) {
                line = out.readLine();
                seen = line == null ? seen : Long.parseLong(line.split(" ")[1]);
            }
            Thread.sleep(random.nextInt(60));
            process.destroyForcibly();
            process.waitFor();
            return seen;
        }
    }

    /// Checks that every document in the index is complete: text, words and vector.
    ///
    /// @return how many there are
    private int checkContents(long least, BiEncoder encoder) throws IOException {
        try (SemanticIndex index = SemanticIndex.openReadOnly(folder, encoder)) {
            int size = index.size();
            assertTrue(size >= least, size + " documents, of at least " + least);
            SearchOptions all = SearchOptions.DEFAULT.withLimit(DOCUMENTS).withExact(true);
            for (SearchMode mode : new SearchMode[] {SearchMode.DENSE, SearchMode.BM25}) {
                List<Hit> hits = size == 0 ? List.of() : index.search("text", all.withMode(mode));
                assertEquals(size, hits.size(), mode.name());
                hits.forEach(hit -> assertEquals(document(number(hit)), hit.document()));
                assertEquals(
                        size,
                        hits.stream()
                                .mapToInt(KilledIndexingTest::number)
                                .distinct()
                                .count());
            }
            return size;
        }
    }

    private static int number(Hit hit) {
        return Integer.parseInt(hit.document().id());
    }

    private static Document document(int number) {
        return Document.of(Integer.toString(number), "text number " + number);
    }

    private static BufferedReader reader(Process process) {
        return new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    private static List<String> lines(Process process) throws IOException {
        try (BufferedReader out = reader(process)) {
            return new ArrayList<>(out.lines().toList());
        }
    }

    private Process start() throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules=jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xmx1g",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Writer.class.getName(),
                        folder.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /// The process that writes.
    static final class Writer {
        public static void main(String[] arguments) throws IOException {
            try (BiEncoder encoder =
                            BiEncoder.open(MODEL, ModelOptions.DEFAULT.withThreads(1), BiEncoderOptions.DEFAULT);
                    SemanticIndex index = SemanticIndex.open(Path.of(arguments[0]), encoder)) {
                System.out.println("ready");
                Iterator<Document> documents = IntStream.range(0, DOCUMENTS)
                        .mapToObj(KilledIndexingTest::document)
                        .iterator();
                UpdateReport report = index.update(documents, false, new BatchSize(BATCH, BATCH), new UpdateListener() {
                    @Override
                    public void committed(UpdateReport soFar) {
                        System.out.println("committed " + soFar.read());
                    }
                });
                System.out.println("done " + report.unchanged());
            }
        }
    }
}
