package io.github.sgpt4j.model;

import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.Family;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.ExpectedTensor;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// Shapes of published models, to be run with random weights: speed does not depend on their values.
///
/// @param name its name for users
/// @param config contents of its `config.json`
public record NamedShape(String name, String config) {
    private static final String GPT_NEO = """
            {"model_type": "gpt_neo", "hidden_size": %d, "num_layers": %d, "num_heads": %d, "vocab_size": 50257,
             "max_position_embeddings": 2048, "window_size": 256, "activation_function": "gelu_new",
             "attention_types": [[["global", "local"], %d]]}
            """;

    /// The shapes of SGPT's models (Muennighoff 2022, table 1, and SGPT-BLOOM), smallest first.
    public static final List<NamedShape> ALL = List.of(
            new NamedShape("125M", GPT_NEO.formatted(768, 12, 12, 6)),
            new NamedShape("1.3B", GPT_NEO.formatted(2048, 24, 16, 12)),
            new NamedShape("2.7B", GPT_NEO.formatted(2560, 32, 20, 16)),
            new NamedShape("5.8B", """
                    {"model_type": "gptj", "n_embd": 4096, "n_layer": 28, "n_head": 16, "vocab_size": 50400,
                     "n_positions": 2048, "rotary_dim": 64, "activation_function": "gelu_new"}
                    """),
            new NamedShape("BLOOM-7B1", """
                    {"model_type": "bloom", "hidden_size": 4096, "n_layer": 30, "n_head": 32, "vocab_size": 250880}
                    """));

    /// Finds a shape, ignoring case.
    ///
    /// @throws IllegalArgumentException if no shape has that name
    public static NamedShape parse(String name) {
        return ALL.stream()
                .filter(shape -> shape.name.equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("shape: expected one of %s, got %s"
                        .formatted(
                                String.join(
                                        ", ", ALL.stream().map(NamedShape::name).toList()),
                                name)));
    }

    JsonFile file() {
        return JsonFile.of(Path.of("shape-" + name.toLowerCase(Locale.ROOT), "config.json"), config);
    }

    /// All its tensors with random contents; the caller closes them. They share one block of memory of
    /// the size of the largest tensor, so even the largest model takes little memory until a device
    /// makes copies, one of each tensor.
    ///
    /// @param dtype type that the tensors are stored in
    public Weights randomWeights(ElementType dtype, long seed) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        tensors().forEach(t -> shapes.put(t.name(), t.shape().toArray()));
        return Weights.random(file().path(), shapes, dtype, seed);
    }

    /// As [Family#fitsHalf].
    public boolean fitsHalf() {
        return Family.of(file()).fitsHalf();
    }

    /// Number of elements of all its tensors; a tied output head counts once.
    public long parameters() {
        Map<String, Long> elements = new LinkedHashMap<>();
        tensors().forEach(t -> elements.put(t.name(), t.shape().elements()));
        return elements.values().stream().mapToLong(Long::longValue).sum();
    }

    private List<ExpectedTensor> tensors() {
        JsonFile file = file();
        Family family = Family.of(file);
        DecoderLayout layout = DecoderLayout.of(family.config().apply(file), family.names(), Set.of());
        List<ExpectedTensor> tensors = new ArrayList<>(layout.decoder());
        tensors.addAll(layout.head());
        return tensors;
    }
}
