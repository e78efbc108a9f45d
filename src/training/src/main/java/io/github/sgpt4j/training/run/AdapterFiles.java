package io.github.sgpt4j.training.run;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.TrainableTensor;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.training.optimizer.Parameter;
import io.github.sgpt4j.training.parameters.LoraOptions;
import io.github.sgpt4j.weights.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The factors of a low-rank training as an adapter of peft: `adapter_config.json` and `adapter_model.safetensors`.
final class AdapterFiles {
    /// What stands before the names of a decoder's tensors in checkpoints with an output head; models without one,
    /// which sentence-transformers opens, lack it.
    private static final List<String> PREFIXES = List.of("transformer.", "gpt_neox.", "model.");

    private AdapterFiles() {}

    /// Writes the files into a new folder.
    ///
    /// @param parameters both factors of each matrix, by name
    static void write(Path folder, TrainableModel model, LoraOptions options, List<Parameter> parameters)
            throws IOException {
        Files.createDirectory(folder);
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode config = mapper.createObjectNode();
        config.put("peft_type", "LORA");
        config.put("task_type", "FEATURE_EXTRACTION");
        config.put(
                "base_model_name_or_path",
                String.valueOf(model.model().directory().getFileName()));
        config.put("r", options.rank());
        config.put("lora_alpha", options.alpha());
        config.put("lora_dropout", 0.0);
        config.put("bias", "none");
        config.put(
                "fan_in_fan_out",
                model.tensors().stream().anyMatch(t -> t.use() == TrainableTensor.Use.TRANSPOSED_MATRIX));
        config.put("inference_mode", true);
        LoraOptions.modules(model.tensors()).forEach(config.putArray("target_modules")::add);
        mapper.writerWithDefaultPrettyPrinter()
                .writeValue(folder.resolve("adapter_config.json").toFile(), config);
        SafetensorsWriter writer = new SafetensorsWriter();
        for (Parameter parameter : parameters) {
            boolean first = parameter.name().endsWith(".lora_A.weight");
            int columns = first ? parameter.values().length / options.rank() : options.rank();
            float[] values = new float[parameter.values().length];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) parameter.values()[i];
            }
            writer.add(named(parameter.name()), Shape.of(values.length / columns, columns), values);
        }
        writer.write(folder.resolve("adapter_model.safetensors"));
    }

    private static String named(String name) {
        String plain = PREFIXES.stream()
                .filter(name::startsWith)
                .map(prefix -> name.substring(prefix.length()))
                .findFirst()
                .orElse(name);
        return "base_model.model." + plain;
    }
}
