package io.github.sgpt4j.server;

import static io.github.sgpt4j.server.RunningServer.ok;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.server.models.ServedModel;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// What `/info` says, field by field.
class InfoContractTest {
    private static final List<String> TEI = List.of(
            "model_id",
            "model_sha",
            "model_dtype",
            "served_model_name",
            "model_type",
            "max_concurrent_requests",
            "max_input_length",
            "max_batch_tokens",
            "max_batch_requests",
            "max_client_batch_size",
            "auto_truncate",
            "tokenization_workers",
            "version",
            "sha",
            "docker_label");

    private static List<String> names(JsonNode object) {
        return object.propertyStream().map(Map.Entry::getKey).toList();
    }

    @Test
    void describesAServerThatDoesBoth() {
        try (RunningServer server = RunningServer.start(options -> options.withVersion("1.2.3")
                .withAutoTruncate(false)
                .withLimits(Limits.DEFAULT.withClientBatchSize(7).withConcurrentRequests(9)))) {
            JsonNode info = ok(server.get("/info"));
            assertEquals(TEI, names(info).subList(0, TEI.size()));
            assertEquals(
                    List.of("capabilities", "dimensions", "fingerprint", "device", "rerank_model"),
                    names(info).subList(TEI.size(), info.size()));
            assertEquals("nano", info.get("model_id").textValue());
            assertEquals("nano", info.get("served_model_name").textValue());
            assertEquals("float32", info.get("model_dtype").textValue());
            assertEquals(
                    "{\"embedding\":{\"pooling\":\"weightedmean\"}}",
                    info.get("model_type").toString());
            assertEquals(9, info.get("max_concurrent_requests").intValue());
            assertEquals(7, info.get("max_client_batch_size").intValue());
            assertEquals(
                    server.encoder().maxLength(), info.get("max_input_length").intValue());
            assertEquals(
                    server.encoder().batchTokens(), info.get("max_batch_tokens").intValue());
            assertTrue(info.get("max_batch_requests").isNull());
            assertTrue(info.get("auto_truncate").isBoolean()
                    && !info.get("auto_truncate").booleanValue());
            assertTrue(info.get("tokenization_workers").intValue() >= 1);
            assertEquals("1.2.3", info.get("version").textValue());
            assertTrue(info.get("model_sha").isNull()
                    && info.get("sha").isNull()
                    && info.get("docker_label").isNull());
            assertEquals("[\"embed\",\"rerank\"]", info.get("capabilities").toString());
            assertEquals(256, info.get("dimensions").intValue());
            assertEquals(server.encoder().fingerprint(), info.get("fingerprint").textValue());
            assertEquals("cpu", info.get("device").textValue());
        }
    }

    @Test
    void describesAServerThatOnlyRanks() {
        try (RunningServer server = RunningServer.serving(RunningServer.served("ranker", List.of(), false, true))) {
            JsonNode info = ok(server.get("/info"));
            assertEquals(
                    "{\"reranker\":{\"id2label\":{},\"label2id\":{}}}",
                    info.get("model_type").toString());
            assertEquals("[\"rerank\"]", info.get("capabilities").toString());
            assertEquals(TEI, names(info).subList(0, TEI.size()));
            assertEquals("float32", info.get("model_dtype").textValue());
        }
    }

    @Test
    void describesAServerThatOnlyEmbeds() {
        try (RunningServer server = RunningServer.serving(RunningServer.served("embedder", List.of(), true, false))) {
            JsonNode info = ok(server.get("/info"));
            assertEquals("[\"embed\"]", info.get("capabilities").toString());
            assertEquals("embedder", info.get("model_id").textValue());
        }
    }

    @Test
    void saysWhichModelReranksAndWhatToKnowAboutIt() {
        ServedModel embeds = RunningServer.served("embedder", List.of(), true, false);
        Model opened = Model.open(NanoModel.directory());
        ServedModel ranks = new ServedModel(
                "ranker",
                List.of(),
                opened,
                Optional.empty(),
                Optional.of(CrossEncoder.of(opened, CrossEncoderOptions.DEFAULT)),
                Optional.of("it is no re-ranker"));
        try (RunningServer server = RunningServer.serving(embeds, ranks)) {
            JsonNode info = ok(server.get("/info"));
            assertEquals("ranker", info.get("rerank_model").textValue());
            assertEquals("it is no re-ranker", info.get("rerank_note").textValue());
        }
    }
}
