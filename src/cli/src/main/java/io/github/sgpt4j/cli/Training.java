package io.github.sgpt4j.cli;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/// Runs typical commands in one process, while the launcher script lets the virtual machine record for its
/// ahead-of-time cache which classes are loaded and which methods become hot.
final class Training {
    private static final String[][] COMMANDS = {
        {"embed", "--as", "query", "fear of spiders"},
        {"embed", "--as", "document", "a morbid fear of spiders", "a large body of salt water", "a doctor for children"
        },
        {"score", "--query", "fear of spiders", "a morbid fear of spiders", "a large body of salt water"},
        {"tokenize", "fear of spiders"},
        {"search", "--help"},
        {"inspect"},
        {"verify"},
    };

    /// Weights of two tiny layers as `torch.save` writes them, with masks and a tied output head.
    private static final String CHECKPOINT = "training/pytorch_model.bin";

    /// Often enough for the interpreter of pickles to become hot.
    private static final int CONVERSIONS = 20;

    private Training() {}

    public static void main(String[] arguments) throws IOException {
        int worst = 0;
        for (String[] command : COMMANDS) {
            worst = Math.max(worst, Main.run(Console.ofProcess(), command));
        }
        Path folder = Files.createTempDirectory("sgpt-training-");
        try {
            Path weights = folder.resolve("pytorch_model.bin");
            try (InputStream in = Training.class.getResourceAsStream(CHECKPOINT)) {
                if (in == null) {
                    throw new FormatException(CHECKPOINT + ": expected a resource, found none");
                }
                Files.copy(in, weights);
            }
            for (int i = 0; i < CONVERSIONS; i++) {
                worst = Math.max(worst, Main.run(Console.ofProcess(), "convert", "--force", folder.toString()));
            }
            Files.delete(weights);
            Files.delete(folder.resolve("model.safetensors"));
        } finally {
            Files.delete(folder);
        }
        System.exit(worst);
    }
}
