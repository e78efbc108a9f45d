package io.github.sgpt4j.cli.command;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.sgpt4j.MemoryNeed;
import io.github.sgpt4j.ModelInfo;
import io.github.sgpt4j.TensorInfo;
import io.github.sgpt4j.TensorStatistics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// The findings of `sgpt inspect` as one JSON object.
public final class InspectJson {
    private InspectJson() {}

    public static void write(InspectCommand.Findings findings, JsonGenerator json) throws IOException {
        ModelInfo info = findings.info();
        json.writeStringField("directory", info.directory().toString());
        json.writeStringField("family", info.modelType());
        json.writeNumberField("layers", info.layers());
        json.writeNumberField("hidden", info.hidden());
        json.writeNumberField("heads", info.heads());
        json.writeNumberField("kv_heads", info.kvHeads());
        json.writeNumberField("head_dim", info.headDim());
        json.writeStringField("positions", info.positions());
        json.writeNumberField("max_positions", info.maxPositions());
        json.writeStringField("attention", info.attention());
        json.writeStringField("attention_from", info.sources().attention());
        json.writeNumberField("vocabulary", info.vocabulary());
        json.writeNumberField("parameters", info.parameters());
        json.writeObjectFieldStart("elements_by_dtype");
        for (Map.Entry<String, Long> entry : info.elementsByDtype().entrySet()) {
            json.writeNumberField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
        strings(json, "files", info.files().stream().map(Path::toString).toList());
        json.writeNumberField("tensor_bytes", info.bytes());
        json.writeStringField("tokenizer", info.tokenizer());
        embedding(info, json);
        memory(findings.memory(), json);
        if (findings.tensors().isPresent()) {
            tensors(findings.tensors().get(), json);
        }
        if (findings.statistics().isPresent()) {
            statistics(findings.statistics().get(), json);
        }
    }

    private static void embedding(ModelInfo info, JsonGenerator json) throws IOException {
        List<String> modes = info.pooling().stream().map(String::valueOf).toList();
        strings(json, "pooling", modes);
        json.writeStringField("pooling_from", info.sources().pooling());
        if (!info.tokenModules().isEmpty()) {
            strings(json, "token_modules", info.tokenModules());
        }
        strings(json, "modules", info.modules());
        json.writeNumberField("max_length", info.maxLength());
        json.writeStringField("max_length_from", info.sources().maxLength());
        json.writeBooleanField("specb", info.specb());
        json.writeStringField("specb_from", info.sources().specb());
        json.writeObjectFieldStart("prompts");
        for (Map.Entry<String, String> entry : info.prompts().entrySet()) {
            json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
        json.writeStringField("prompts_from", info.sources().prompts());
        json.writeStringField("similarity", info.similarity().toString());
        if (info.dimension() > 0) {
            json.writeNumberField("truncate_dim", info.dimension());
        }
    }

    private static void memory(List<MemoryNeed> needs, JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("memory");
        for (MemoryNeed need : needs) {
            json.writeStartObject();
            json.writeStringField("device", need.device());
            json.writeStringField("dtype", need.dtype().toString());
            json.writeNumberField("tokens", need.tokens());
            json.writeNumberField("weight_bytes", need.weights());
            json.writeNumberField("activation_bytes", need.activations());
            json.writeNumberField("total_bytes", need.total());
            json.writeNumberField("scoring_bytes", need.head());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void tensors(List<TensorInfo> all, JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("tensors");
        for (TensorInfo tensor : all) {
            json.writeStartObject();
            json.writeStringField("name", tensor.name());
            json.writeStringField("dtype", tensor.dtype());
            json.writeArrayFieldStart("shape");
            for (long dimension : tensor.shape()) {
                json.writeNumber(dimension);
            }
            json.writeEndArray();
            json.writeNumberField("bytes", tensor.bytes());
            json.writeStringField("file", tensor.file().toString());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void statistics(List<TensorStatistics> all, JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("scan");
        for (TensorStatistics s : all) {
            json.writeStartObject();
            json.writeStringField("name", s.tensor().name());
            json.writeStringField("file", s.tensor().file().toString());
            json.writeNumberField("elements", s.tensor().elements());
            json.writeNumberField("nan", s.nan());
            json.writeNumberField("infinite", s.infinite());
            number(json, "min", s.min());
            number(json, "max", s.max());
            number(json, "abs_max", s.absMax());
            if (s.firstNonFinite().isPresent()) {
                json.writeNumberField("first_non_finite", s.firstNonFinite().getAsLong());
            }
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    /// JSON has no NaN or infinity: what is not finite becomes null.
    private static void number(JsonGenerator json, String name, float value) throws IOException {
        if (Float.isFinite(value)) {
            json.writeNumberField(name, value);
        } else {
            json.writeNullField(name);
        }
    }

    private static void strings(JsonGenerator json, String name, List<String> values) throws IOException {
        json.writeArrayFieldStart(name);
        for (String value : values) {
            json.writeString(value);
        }
        json.writeEndArray();
    }
}
