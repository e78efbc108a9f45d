package io.github.sgpt4j.spring.ai.autoconfigure;

import io.github.sgpt4j.error.BackendException;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;

/// Says in two sentences why an application does not start and what to do, instead of a stack trace.
final class SgptFailureAnalyzer implements FailureAnalyzer {
    private static final String VECTOR_MODULE = "jdk.incubator.vector";

    @Override
    public @Nullable FailureAnalysis analyze(Throwable failure) {
        for (Throwable each = failure; each != null; each = each.getCause()) {
            if (each instanceof SgptPropertyException e) {
                return new FailureAnalysis(
                        e.getMessage(),
                        "Change %s in the application's configuration, or what it refers to.".formatted(e.property()),
                        e);
            }
            if (each instanceof BackendException e) {
                return new FailureAnalysis(e.getMessage(), deviceAction(), e);
            }
        }
        return null;
    }

    private static String deviceAction() {
        return ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent()
                ? "Choose another device or type of weights with %s and %s, or a smaller model."
                        .formatted(SgptProperties.DEVICE, SgptProperties.DTYPE)
                : "Start java with --add-modules %s --enable-native-access=ALL-UNNAMED, for example in the environment variable JDK_JAVA_OPTIONS."
                        .formatted(VECTOR_MODULE);
    }
}
