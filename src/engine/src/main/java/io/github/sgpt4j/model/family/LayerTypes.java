package io.github.sgpt4j.model.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.text.Quoted;
import java.util.ArrayList;
import java.util.List;

/// The kinds of layers that `layer_types` lists.
final class LayerTypes {
    private static final String KEY = "layer_types";

    private LayerTypes() {}

    /// Whether each layer has a window.
    ///
    /// @param fallback if the file has no list
    /// @throws io.github.sgpt4j.error.FormatException if the list has another length
    /// @throws UnsupportedModelException if it names another kind
    static List<Boolean> sliding(JsonFile c, int layers, List<Boolean> fallback) {
        JsonNode types = c.node(KEY).orElse(null);
        if (types == null) {
            return fallback;
        }
        if (!types.isArray() || types.size() != layers) {
            throw c.wrong(KEY, "a list of " + layers + " kinds", types);
        }
        List<Boolean> sliding = new ArrayList<>();
        for (JsonNode type : types) {
            sliding.add(
                    switch (type.asText()) {
                        case "full_attention" -> false;
                        case "sliding_attention" -> true;
                        default ->
                            throw new UnsupportedModelException("%s: key \"layer_types\": %s is not supported"
                                    .formatted(c.path(), Quoted.of(type.asText())));
                    });
        }
        return sliding;
    }
}
