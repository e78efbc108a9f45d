package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchCommandTest {
    private static final String[] SMALL = {
        "bench", "--device", "cpu", "--texts", "3", "--tokens", "9", "--query-tokens", "4", "--seconds", "1"
    };

    private static String[] with(String... more) {
        List<String> all = new ArrayList<>(List.of(SMALL));
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    @Test
    void measuresAModelAndTellsHowTimeDivides() {
        Cli.Result result = Cli.run(with("-m", Cli.model("gptneo-be"), "--format", "json"));
        assertEquals(0, result.code(), result.err());
        JsonNode report = result.lines().getFirst();
        assertEquals("cpu", report.get("device").asText());
        assertEquals(3, report.get("texts").asInt());
        double texts = report.get("texts_per_second").get("median").asDouble();
        double tokens = report.get("tokens_per_second").get("median").asDouble();
        assertEquals(9 * texts, tokens, 1e-6 * tokens);
        assertTrue(report.get("pairs_per_second").get("passes").asInt() >= 3);
        JsonNode time = report.get("time");
        double all = time.get("products").asDouble()
                + time.get("attention").asDouble()
                + time.get("rest").asDouble();
        assertEquals(1, all, 1e-9);
        for (String positive : List.of(
                "product_flops",
                "attention_flops",
                "rest_bytes_per_second",
                "ceiling_product_flops",
                "ceiling_copy_bytes_per_second")) {
            assertTrue(report.get(positive).asDouble() > 0, positive);
        }
    }

    @Test
    void measuresTheBuiltInModelAsATable() {
        Cli.Result result = Cli.run(SMALL);
        assertEquals(0, result.code(), result.err());
        for (String fact : List.of(
                "model +built-in model",
                "device +cpu, auto",
                "embedding +[0-9.,]+ +texts/s \\(.* passes\\)",
                "scoring +[0-9.,]+ +pairs/s .*",
                "matrix products +[0-9]+ %  of the time, .* TFLOP/s.*",
                "attention +[0-9]+ % .*",
                "the rest +[0-9]+ % .* GB/s.*")) {
            assertTrue(result.text().lines().anyMatch(line -> line.matches(fact)), fact + "\n" + result.text());
        }
    }

    @Test
    void refusesWhatItCannotMeasure() {
        Cli.Result unknown = Cli.run(with("--shape", "3B"));
        assertEquals(2, unknown.code());
        assertTrue(unknown.err().contains("expected one of 125M, 1.3B, 2.7B, 5.8B, BLOOM-7B1, got \"3B\""));
        assertEquals(
                2,
                Cli.run(with("--shape", "125M", "-m", Cli.model("gptneo-be"))).code());
        Cli.Result tooLong = Cli.run("bench", "--device", "cpu", "--tokens", "5000");
        assertEquals(2, tooLong.code());
        assertTrue(tooLong.err().contains("got 5016"), tooLong.err());
    }
}
