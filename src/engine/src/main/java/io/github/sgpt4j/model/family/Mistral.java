package io.github.sgpt4j.model.family;

import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Bias;
import java.util.Collections;

/// Mistral: `configuration_mistral.py`.
final class Mistral {
    static final Family FAMILY =
            new Family("mistral", Mistral::config, Llama.names().build());

    private Mistral() {}

    private static DecoderConfig config(JsonFile c) {
        return parts(c).build();
    }

    /// The settings of a Mistral.
    static ConfigBuilder parts(JsonFile c) {
        ConfigBuilder builder = Llama.parts(c, new Bias(false, false, false, false), 8, Llama.headDim(c));
        int window = c.isNull("sliding_window") ? 0 : c.positiveInt(4096, "sliding_window");
        return builder.windows(Collections.nCopies(builder.layers(), window));
    }
}
