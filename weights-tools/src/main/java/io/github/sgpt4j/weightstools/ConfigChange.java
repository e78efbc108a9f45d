package io.github.sgpt4j.weightstools;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.Dtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/// What a conversion changes in a model's `config.json`, so that it matches the weights.
///
/// @param dtype what the converted weights are stored as; its name replaces `dtype` and `torch_dtype`
/// @param untied whether the output head is no longer the embedding table
/// @param unnamed whether to remove the model's former name, since it is a different model now
/// @param headless whether there is no output head any more, so that another class is the model's
record ConfigChange(Dtype dtype, boolean untied, boolean unnamed, boolean headless) {
    /// Copies the file unchanged.
    static final ConfigChange NONE = new ConfigChange(Dtype.AUTO, false, false, false);

    /// A model for embeddings with some tensors of 32 bits: other software must not round them.
    static final ConfigChange ENCODER = new ConfigChange(Dtype.FP32, false, true, true);

    private static final String DTYPE = "dtype";
    private static final String TORCH_DTYPE = "torch_dtype";
    private static final String ARCHITECTURES = "architectures";

    /// What the names of transformers' classes with a head end in, in place of `Model`.
    private static final Pattern HEAD = Pattern.compile("(LMHeadModel|DoubleHeadsModel|For[A-Z]\\w*)$");

    /// Copies the file with the changes.
    void copy(Path from, Path to) throws IOException {
        if (equals(NONE) || !(SourceFolder.json(from) instanceof ObjectNode object)) {
            Files.copy(from, to);
            return;
        }
        for (String key : new String[] {TORCH_DTYPE, DTYPE}) {
            JsonNode named = object.path(key);
            if (named.isTextual() && dtype != Dtype.AUTO) {
                object.put(key, configName(dtype));
            }
        }
        if (headless) {
            rename(object);
            if (!object.hasNonNull(TORCH_DTYPE) && !object.hasNonNull(DTYPE)) {
                object.put(TORCH_DTYPE, configName(dtype));
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

    /// Names the class without a head.
    private static void rename(ObjectNode config) {
        if (config.path(ARCHITECTURES) instanceof ArrayNode names) {
            for (int i = 0; i < names.size(); i++) {
                names.set(i, HEAD.matcher(names.get(i).asText()).replaceFirst("Model"));
            }
        }
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
