package io.github.sgpt4j.training.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NliSourceTest {
    private static final String HEADER = "label\tsentence2\tsplit\tsentence1\n";

    @TempDir
    Path folder;

    private TripleSource open(String text, DataForm form, DataOptions options) throws IOException {
        Path file = Files.writeString(folder.resolve("AllNLI.tsv"), text);
        return TrainingData.open(file, form, options);
    }

    @Test
    void columnsAreFoundByName() throws IOException {
        String text = HEADER + "entailment\tb\ttrain\ta\ncontradiction\tc\ttrain\ta\nentailment\tx\tdev\ta\n";
        try (TripleSource source = open(text, DataForm.AUTO, DataOptions.DEFAULT)) {
            assertEquals(2, source.rows());
            assertEquals(new Triple("a", "b", List.of("c")), source.row(0, 0));
            assertEquals(new Triple("b", "a", List.of("c")), source.row(1, 7));
        }
        try (TripleSource source = open(text, DataForm.NLI, DataOptions.DEFAULT.withNegatives(0))) {
            assertEquals(new Triple("a", "b", List.of()), source.row(0, 0));
        }
    }

    @Test
    void aRelationCountsOnce() throws IOException {
        String text = HEADER + "entailment\tb\ttrain\ta\n".repeat(3) + "contradiction\tc\ttrain\ta\n"
                + "entailment\ta\ttrain\tb\n";
        try (NliSource source = (NliSource) open(text, DataForm.NLI, DataOptions.DEFAULT)) {
            assertEquals(List.of(List.of("b"), List.of("c")), source.partners().get("a"));
        }
    }

    @Test
    void contradictionsAreTold() throws IOException {
        String text = HEADER + "entailment\tb\ttrain\ta\ncontradiction\tb\ttrain\ta\n";
        try (TripleSource source = open(text, DataForm.NLI, DataOptions.DEFAULT)) {
            // Sentence b is one of a's, and a one of b's.
            assertEquals(4, source.rows());
            assertEquals(
                    List.of("rows with a positive that equals a negative: 2, the first is %s: sentence \"a\""
                            .formatted(folder.resolve("AllNLI.tsv"))),
                    source.notices());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "entailment@b@train|expected 4 fields separated by tabs, got 3",
                "entailment@ @train@a|sentence2: expected a text, got an empty one",
                "other@b@train@a|expected the label entailment, contradiction or neutral, got \"other\""
            })
    void brokenLinesAreErrors(String line, String problem) {
        String text = HEADER + "neutral\tb\ttrain\ta\n" + line.replace('@', '\t') + "\n";
        assertEquals(
                folder.resolve("AllNLI.tsv") + ": line 3: " + problem,
                assertThrows(FormatException.class, () -> open(text, DataForm.AUTO, DataOptions.DEFAULT))
                        .getMessage());
    }

    @Test
    void otherFilesAreRefused() {
        assertEquals(
                folder.resolve("AllNLI.tsv")
                        + ": line 1: expected the columns split, sentence1, sentence2 and label separated by tabs, got \"a\\u0009b\"",
                assertThrows(FormatException.class, () -> open("a\tb\n", DataForm.NLI, DataOptions.DEFAULT))
                        .getMessage());
        assertEquals(
                folder.resolve("AllNLI.tsv")
                        + ": expected a sentence of the split \"train\" with an entailment and a contradiction, found none",
                assertThrows(
                                FormatException.class,
                                () -> open(HEADER + "entailment\tb\ttrain\ta\n", DataForm.NLI, DataOptions.DEFAULT))
                        .getMessage());
        assertThrows(FormatException.class, () -> open(HEADER, DataForm.NLI, DataOptions.DEFAULT.withNegatives(2)));
    }
}
