package io.github.sgpt4j.spring.ai.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.SemanticIndex;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Configuration;

/// What an application prints that does not start.
@ExtendWith(OutputCaptureExtension.class)
class SgptFailureAnalyzerTest {
    @TempDir
    private Path folder;

    @Configuration(proxyBeanMethods = false)
    @ImportAutoConfiguration({
        SgptEmbeddingAutoConfiguration.class,
        SgptScoringAutoConfiguration.class,
        SgptVectorStoreAutoConfiguration.class
    })
    static class Application {}

    private static void assertRefused(CapturedOutput output, String property, String problem, String... settings) {
        SpringApplication application = new SpringApplication(Application.class);
        application.setWebApplicationType(WebApplicationType.NONE);
        String[] arguments = new String[settings.length];
        for (int i = 0; i < settings.length; i++) {
            arguments[i] = "--" + SgptProperties.PREFIX + "." + settings[i];
        }
        assertThatThrownBy(() -> application.run(arguments).close()).isInstanceOf(Exception.class);
        assertThat(output.getAll())
                .contains("APPLICATION FAILED TO START")
                .contains("Description:%n%n%s: %s".formatted(property, problem))
                .contains("Action:%n%nChange %s in the application's configuration".formatted(property))
                .doesNotContain("\tat org.springframework");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    device=tpu                 | device              | device: expected auto, cpu or cuda[:N[,N...]], got "tpu"
                    device=cuda:7              | device              | device "cuda:7" is unavailable
                    dtype=tf32                 | dtype               | cpu: dtype tf32 is for GPUs
                    threads=0                  | threads             | threads: expected 1 to
                    embedding.model=no/such    | embedding.model     | expected the folder of a model, found none at no/such
                    embedding.dimensions=0     | embedding.dimensions | truncated dimension: expected at least 1, got 0
                    embedding.dimensions=999   | embedding.dimensions | expected 1 to
                    embedding.max-length=0     | embedding.max-length | maximal length: expected at least 1, got 0
                    scoring.model=no/such      | scoring.model       | expected the folder of a model, found none at no/such
                    """)
    void thePropertyIsNamed(String setting, String property, String problem, CapturedOutput output) {
        assertRefused(output, SgptProperties.PREFIX + "." + property, problem, setting);
    }

    @Test
    void topNOfNothing(CapturedOutput output) {
        assertRefused(
                output,
                SgptProperties.TOP_N,
                "top n: expected at least 1, got 0",
                "scoring.model=sgpt4j-nano",
                "scoring.top-n=0");
    }

    @Test
    void aFolderThatIsNoModel(CapturedOutput output) {
        assertRefused(output, SgptProperties.EMBEDDING_MODEL, folder.toString(), "embedding.model=" + folder);
    }

    @Test
    void aLengthWithoutRoomForATextsBrackets(CapturedOutput output) throws IOException {
        Path model = folder.resolve("a-specb-model");
        try (Stream<Path> files = Files.walk(NanoModel.directory())) {
            for (Path file : files.toList()) {
                Files.copy(
                        file,
                        model.resolve(NanoModel.directory().relativize(file).toString()));
            }
        }
        assertRefused(
                output,
                SgptProperties.MAX_LENGTH,
                "maximal length 1: expected at least",
                "embedding.max-length=1",
                "embedding.model=" + model);
    }

    @Test
    void aPathThatIsAFile(CapturedOutput output) throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        assertRefused(output, SgptProperties.PATH, file.toString(), "vectorstore.path=" + file);
    }

    @Test
    void anIndexOfAnotherModel(CapturedOutput output) throws IOException {
        Path index = folder.resolve("index");
        try (BiEncoder other = BiEncoder.open(
                        NanoModel.directory(), ModelOptions.DEFAULT, BiEncoderOptions.DEFAULT.withDimensions(16));
                SemanticIndex created = SemanticIndex.open(index, other)) {
            created.commit();
        }
        assertRefused(output, SgptProperties.PATH, index.toString(), "vectorstore.path=" + index);
    }

    @Test
    void otherFailuresAreNotExplained() {
        assertThat(new SgptFailureAnalyzer().analyze(new IllegalStateException("other")))
                .isNull();
    }
}
