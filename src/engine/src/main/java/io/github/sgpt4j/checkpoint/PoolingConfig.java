package io.github.sgpt4j.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.text.Quoted;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The modes in `config.json` of a sentence-transformers `Pooling` module.
public final class PoolingConfig {
    private PoolingConfig() {}

    /// Reads the newer `pooling_mode` (a name or a list of names), or the older flags; if no flag is
    /// set, the mean.
    static List<PoolMode> modes(JsonFile config) {
        Optional<JsonNode> named = config.node("pooling_mode");
        if (named.isPresent()) {
            return namedModes(config, named.get());
        }
        List<PoolMode> modes = new ArrayList<>();
        PoolingNames.FLAGS.forEach((flag, mode) -> {
            if (config.bool(flag, false)) {
                modes.add(mode);
            }
        });
        return modes.isEmpty() ? List.of(PoolMode.MEAN) : modes;
    }

    private static List<PoolMode> namedModes(JsonFile config, JsonNode named) {
        List<PoolMode> modes = new ArrayList<>();
        for (JsonNode name : named.isArray() ? named : List.of(named)) {
            if (!name.isTextual()) {
                throw config.wrong("pooling_mode", "the name of a mode", name);
            }
            PoolMode mode = PoolingNames.parse(name.textValue())
                    .orElseThrow(() -> new UnsupportedModelException("%s: pooling mode %s is not supported"
                            .formatted(config.path(), Quoted.of(name.textValue()))));
            if (modes.contains(mode)) {
                throw config.wrong("pooling_mode", "each mode at most once", name);
            }
            modes.add(mode);
        }
        if (modes.isEmpty()) {
            throw config.wrong("pooling_mode", "at least one mode", named);
        }
        return modes;
    }
}
