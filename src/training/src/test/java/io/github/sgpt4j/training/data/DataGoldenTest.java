package io.github.sgpt4j.training.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.training.Goldens;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Readers against sentence-transformers' scripts.
class DataGoldenTest {
    private static final JsonNode GOLDEN = Goldens.json("data/expected.json");
    private static final Path FOLDER = Goldens.file("data");

    private static MsMarcoSource msMarco(JsonNode expected) {
        return MsMarcoSource.open(
                FOLDER,
                DataOptions.DEFAULT.withHardNegatives(
                        expected.get("num_negs_per_system").intValue(),
                        expected.get("ce_score_margin").doubleValue()));
    }

    /// The golden's passages are numbered by their lines.
    private static String passage(int id) throws IOException {
        return Files.readAllLines(FOLDER.resolve("collection.tsv")).get(id).split("\t")[1];
    }

    private static Map<Integer, String> queries() throws IOException {
        Map<Integer, String> queries = new LinkedHashMap<>();
        for (String line : Files.readAllLines(FOLDER.resolve("queries.train.tsv"))) {
            queries.put(Integer.parseInt(line.split("\t")[0]), line.split("\t")[1]);
        }
        return queries;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void hardNegativesEqualTheReference(int index) throws IOException {
        JsonNode expected = GOLDEN.get("msmarco").get(index);
        Map<Integer, String> texts = queries();
        try (MsMarcoSource source = msMarco(expected)) {
            MsMarcoRows rows = source.chosen();
            assertEquals(expected.get("queries").size(), rows.count());
            int row = 0;
            for (Map.Entry<String, JsonNode> query : expected.get("queries").properties()) {
                assertEquals(
                        texts.get(Integer.parseInt(query.getKey())),
                        source.row(row, 0).anchor());
                assertArrays(query.getValue().get("positives"), rows.positives(row));
                assertArrays(query.getValue().get("negatives_in_order_of_finding"), rows.negatives(row));
                row++;
            }
        }
    }

    private static void assertArrays(JsonNode expected, int[] got) {
        assertArrayEquals(Goldens.integers(expected), got);
    }

    @Test
    void positivesAndNegativesTakeTurns() throws IOException {
        JsonNode expected = GOLDEN.get("msmarco").get(0);
        try (MsMarcoSource source = msMarco(expected)) {
            // Query 101 has three positives and fifteen negatives.
            JsonNode query = expected.get("queries").get("101");
            List<String> negatives = new ArrayList<>();
            for (int pass = 0; pass < 30; pass++) {
                Triple triple = source.row(1, pass);
                assertEquals(
                        passage(query.get("positives").get(pass % 3).intValue()), triple.positive(), "pass " + pass);
                negatives.addAll(triple.negatives());
            }
            Set<String> all = new HashSet<>();
            for (int id : Goldens.integers(query.get("negatives_in_order_of_finding"))) {
                all.add(passage(id));
            }
            assertEquals(30, negatives.size());
            assertEquals(negatives.subList(0, 15), negatives.subList(15, 30));
            assertEquals(all, new HashSet<>(negatives));
        }
    }

    @Test
    void aSeedDecidesTheOrderOfNegatives() throws IOException {
        try (MsMarcoSource one = MsMarcoSource.open(FOLDER, DataOptions.DEFAULT.withSeed(1));
                MsMarcoSource same = MsMarcoSource.open(FOLDER, DataOptions.DEFAULT.withSeed(1));
                MsMarcoSource other = MsMarcoSource.open(FOLDER, DataOptions.DEFAULT.withSeed(2))) {
            boolean differs = false;
            for (int pass = 0; pass < 8; pass++) {
                assertEquals(one.row(0, pass), same.row(0, pass));
                differs |= !one.row(0, pass).equals(other.row(0, pass));
            }
            assertTrue(differs);
        }
    }

    @Test
    void nliTriplesAreThoseOfTheReference() {
        Path file = FOLDER.resolve("AllNLI.tsv");
        JsonNode expected = GOLDEN.get("nli").get("two_triples_of_each");
        Set<Triple> drawn = new HashSet<>();
        for (int seed = 0; seed < 40; seed++) {
            try (NliSource source = NliSource.open(file, DataOptions.DEFAULT.withSeed(seed))) {
                assertEquals(expected.size(), source.partners().size());
                for (Map.Entry<String, JsonNode> sentence : expected.properties()) {
                    List<List<String>> partners = source.partners().get(sentence.getKey());
                    assertEquals(texts(sentence.getValue().get("entailment")), new HashSet<>(partners.get(0)));
                    assertEquals(texts(sentence.getValue().get("contradiction")), new HashSet<>(partners.get(1)));
                }
                assertEquals(2 * expected.size(), source.rows());
                for (int row = 0; row < source.rows(); row++) {
                    assertEquals(source.row(row, 0), source.row(row, 1));
                    drawn.add(source.row(row, 0));
                }
            }
        }
        Set<Triple> possible = new HashSet<>();
        for (Map.Entry<String, JsonNode> sentence : expected.properties()) {
            for (String entailment : texts(sentence.getValue().get("entailment"))) {
                for (String contradiction : texts(sentence.getValue().get("contradiction"))) {
                    possible.add(new Triple(sentence.getKey(), entailment, List.of(contradiction)));
                    possible.add(new Triple(entailment, sentence.getKey(), List.of(contradiction)));
                }
            }
        }
        assertEquals(possible, drawn);
    }

    private static Set<String> texts(JsonNode array) {
        Set<String> texts = new HashSet<>();
        array.forEach(text -> texts.add(text.textValue()));
        return texts;
    }

    @Test
    void batchesWithoutDuplicatesEqualTheReference(@TempDir Path folder) throws IOException {
        JsonNode expected = GOLDEN.get("no_duplicates");
        List<String> lines = new ArrayList<>();
        for (JsonNode row : expected.get("rows")) {
            lines.add(new ObjectMapper().writeValueAsString((ObjectNode) row));
        }
        Path file = Files.write(folder.resolve("rows.jsonl"), lines);
        try (TripleSource source = TrainingData.open(file, DataForm.AUTO, DataOptions.DEFAULT)) {
            Batches<Triple> batches = new Batches<>(
                    source, new BatchOptions(expected.get("batch_size").intValue(), false, true, true, 0));
            assertEquals(expected.get("batches_per_epoch").longValue(), batches.perEpoch());
            for (JsonNode batch : expected.get("batches")) {
                List<Integer> rows = new ArrayList<>();
                batch.forEach(row -> rows.add(row.intValue()));
                assertEquals(rows, batches.next().rows());
            }
            // The pass goes on: rows 12 and 13, then the first rows of the next pass without "w0".
            Batch<Triple> next = batches.next();
            assertEquals(List.of(12, 13, 1, 2), next.rows());
            assertEquals(1, next.epoch());
        }
    }
}
