package io.github.sgpt4j.weightstools.hub;

import java.util.List;

/// Names of an adapter's files, as peft saves them.
public final class AdapterFiles {
    /// The adapter's configuration.
    public static final String CONFIG = "adapter_config.json";

    /// Its weights, preferred format first.
    public static final List<String> WEIGHTS = List.of("adapter_model.safetensors", "adapter_model.bin");

    private AdapterFiles() {}
}
