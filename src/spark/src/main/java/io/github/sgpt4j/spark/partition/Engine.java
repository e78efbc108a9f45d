package io.github.sgpt4j.spark.partition;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.nano.NanoModel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// An open model with its encoders, each made when it is first asked for. Safe to share between threads.
final class Engine implements AutoCloseable {
    private final Model model;
    private final int batchTokens;
    private @Nullable BiEncoder biEncoder;
    private @Nullable CrossEncoder crossEncoder;

    private Engine(Model model, int batchTokens) {
        this.model = model;
        this.batchTokens = batchTokens;
    }

    /// @throws io.github.sgpt4j.error.SgptException as [Model#open(Path, io.github.sgpt4j.ModelOptions)]
    static Engine open(EngineSettings settings) {
        Path folder = settings.model().isEmpty() ? NanoModel.directory() : Path.of(settings.model());
        return new Engine(Model.open(folder, settings.modelOptions()), settings.batchTokens());
    }

    synchronized BiEncoder biEncoder() {
        if (biEncoder == null) {
            BiEncoderOptions options = BiEncoderOptions.DEFAULT;
            biEncoder = BiEncoder.of(model, batchTokens == 0 ? options : options.withBatchTokens(batchTokens));
        }
        return biEncoder;
    }

    synchronized CrossEncoder crossEncoder() {
        if (crossEncoder == null) {
            CrossEncoderOptions options = CrossEncoderOptions.DEFAULT;
            crossEncoder = CrossEncoder.of(model, batchTokens == 0 ? options : options.withBatchTokens(batchTokens));
        }
        return crossEncoder;
    }

    @Override
    public synchronized void close() {
        if (biEncoder != null) {
            biEncoder.close();
        }
        if (crossEncoder != null) {
            crossEncoder.close();
        }
        model.close();
    }
}
