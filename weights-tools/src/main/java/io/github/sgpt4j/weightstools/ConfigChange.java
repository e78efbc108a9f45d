package io.github.sgpt4j.weightstools;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.Dtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What a conversion changes in a model's `config.json`, so that it matches the weights.
///
/// @param dtype what the converted weights are stored as; its name replaces `dtype` and `torch_dtype`
/// @param untied whether the output head is no longer the embedding table
/// @param unnamed whether to remove the model's former name, since it is a different model now
record ConfigChange(Dtype dtype, boolean untied, boolean unnamed) {
    /// Copies the file unchanged.
    static final ConfigChange NONE = new ConfigChange(Dtype.AUTO, false, false);

    /// Copies the file with the changes.
    void copy(Path from, Path to) throws IOException {
        boolean same = dtype == Dtype.AUTO && !untied && !unnamed;
        if (same || !(SourceFolder.json(from) instanceof ObjectNode object)) {
            Files.copy(from, to);
            return;
        }
        for (String key : new String[] {"torch_dtype", "dtype"}) {
            JsonNode named = object.path(key);
            if (named.isTextual() && dtype != Dtype.AUTO) {
                object.put(key, configName(dtype));
            }
        }
        if (untied) {
            object.put("tie_word_embeddings", false);
        }
        if (unnamed) {
            object.remove("_name_or_path");
        }
        new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(to.toFile(), object);
    }

    /// The name that `config.json` gives a type.
    private static String configName(Dtype dtype) {
        return switch (dtype) {
            case FP32 -> "float32";
            case FP16 -> "float16";
            case BF16 -> "bfloat16";
            case AUTO, TF32, FP8 -> throw new IllegalArgumentException("no type of files: " + dtype);
        };
    }
}
