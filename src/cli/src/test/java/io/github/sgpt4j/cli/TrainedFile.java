package io.github.sgpt4j.cli;

import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.nio.file.Path;

/// Writes `biases.safetensors`.
final class TrainedFile {
    private static final Path TRAINED = Path.of("../engine/src/test/resources/goldens/training/bitfit");

    private TrainedFile() {}

    /// The biases that the reference has trained, of a golden model.
    ///
    /// @param name of the training golden, such as `gptneo`
    static Path write(String name, Path base, Path file) throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter()
                .metadata("pooling", "weightedmean")
                .metadata("specb", "true")
                .metadata("max_length", "48")
                .metadata("method", "bitfit");
        try (Model model = Model.open(base, ModelOptions.DEFAULT.withDevice("cpu"));
                Weights values = Weights.openFile(TRAINED.resolve(name).resolve("final.safetensors"))) {
            writer.metadata("base", model.fingerprint());
            for (String tensor : values.names()) {
                writer.add(
                        tensor, values.get(tensor).shape(), values.get(tensor).toFloats());
            }
        }
        writer.write(file);
        return file;
    }
}
