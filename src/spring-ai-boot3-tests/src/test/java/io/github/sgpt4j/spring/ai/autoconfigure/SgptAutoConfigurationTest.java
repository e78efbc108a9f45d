package io.github.sgpt4j.spring.ai.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.spring.ai.SgptEmbeddingModel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.rag.Query;
import org.springframework.ai.rag.postretrieval.document.DocumentPostProcessor;
import org.springframework.ai.vectorstore.VectorStore;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@ExtendWith(OutputCaptureExtension.class)
class SgptAutoConfigurationTest {
    private static final String MODEL = "spring.ai.sgpt4j.embedding.model=";
    private static final String SCORING = "spring.ai.sgpt4j.scoring.model=";
    private static final String PATH = "spring.ai.sgpt4j.vectorstore.path=";

    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    SgptEmbeddingAutoConfiguration.class,
                    SgptScoringAutoConfiguration.class,
                    SgptVectorStoreAutoConfiguration.class));

    @TempDir
    private Path folder;

    @Test
    void withoutPropertiesTheBuiltInModelEmbeds(CapturedOutput output) {
        runner.run(context -> {
            assertThat(context).hasSingleBean(EmbeddingModel.class).hasSingleBean(BiEncoder.class);
            assertThat(context).doesNotHaveBean(VectorStore.class).doesNotHaveBean(DocumentPostProcessor.class);
            assertThat(context.getBean(EmbeddingModel.class).embed("spider"))
                    .hasSize(context.getBean(BiEncoder.class).dimension());
        });
        assertThat(output.getAll().lines().filter(line -> line.contains("built-in model")))
                .hasSize(1)
                .allMatch(line -> line.contains("spring.ai.sgpt4j.embedding.model is not set"));
    }

    @Test
    void propertiesChooseModelAndSettings(CapturedOutput output) {
        runner.withPropertyValues(
                        MODEL + NanoModel.directory(),
                        "spring.ai.sgpt4j.device=cpu",
                        "spring.ai.sgpt4j.dtype=fp32",
                        "spring.ai.sgpt4j.threads=1",
                        "spring.ai.sgpt4j.embedding.dimensions=16",
                        "spring.ai.sgpt4j.embedding.max-length=32")
                .run(context -> {
                    BiEncoder encoder = context.getBean(BiEncoder.class);
                    assertThat(encoder.dimension()).isEqualTo(16);
                    assertThat(encoder.maxLength()).isEqualTo(32);
                    assertThat(encoder.model().dtype()).isEqualTo(Dtype.FP32);
                    assertThat(encoder.model().device()).isEqualTo("cpu");
                    assertThat(context.getBean(EmbeddingModel.class).dimensions())
                            .isEqualTo(16);
                });
        assertThat(output.getAll()).doesNotContain("built-in model");
    }

    @Test
    void moreDimensionsThanTheModelHasAreRefused() {
        int all;
        try (BiEncoder encoder = NanoModel.open()) {
            all = encoder.dimension();
        }
        String dimensions = "spring.ai.sgpt4j.embedding.dimensions=";
        runner.withPropertyValues(dimensions + all)
                .run(context ->
                        assertThat(context.getBean(BiEncoder.class).dimension()).isEqualTo(all));
        runner.withPropertyValues(dimensions + 999)
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .hasMessageContaining(
                                "spring.ai.sgpt4j.embedding.dimensions: expected 1 to %d, as the model".formatted(all))
                        .hasMessageContaining("got 999"));
    }

    @Test
    void textsThatAreTooLongCanBeRefused() {
        String tooLong = "spider ".repeat(100);
        runner.withPropertyValues(
                        "spring.ai.sgpt4j.embedding.max-length=32", "spring.ai.sgpt4j.embedding.truncate=false")
                .run(context -> assertThatThrownBy(
                                () -> context.getBean(EmbeddingModel.class).embed(tooLong))
                        .hasMessageContaining("32"));
    }

    @Test
    void otherProvidersAndNoneAreRespected() {
        for (String provider : List.of("none", "openai")) {
            runner.withPropertyValues("spring.ai.model.embedding=" + provider, PATH + folder)
                    .run(context -> assertThat(context)
                            .hasNotFailed()
                            .doesNotHaveBean(EmbeddingModel.class)
                            .doesNotHaveBean(BiEncoder.class)
                            .doesNotHaveBean(VectorStore.class));
        }
        runner.withPropertyValues("spring.ai.model.embedding=sgpt4j")
                .run(context -> assertThat(context).hasSingleBean(SgptEmbeddingModel.class));
        runner.withPropertyValues("spring.ai.vectorstore.type=pgvector", PATH + folder)
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(VectorStore.class));
    }

    @Test
    void everythingCloses() {
        AtomicReference<BiEncoder> encoder = new AtomicReference<>();
        AtomicReference<CrossEncoder> reRanker = new AtomicReference<>();
        AtomicReference<SemanticIndex> index = new AtomicReference<>();
        runner.withPropertyValues(SCORING + "sgpt4j-nano", PATH + folder).run(context -> {
            encoder.set(context.getBean(BiEncoder.class));
            reRanker.set(context.getBean(CrossEncoder.class));
            index.set(context.getBean(SemanticIndex.class));
            context.getBean(VectorStore.class).add(List.of(new Document("a morbid fear of spiders")));
        });
        assertThatThrownBy(() -> encoder.get().embedQuery("spider")).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> reRanker.get().score("spider", List.of("fear")))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> index.get().size()).isInstanceOf(IllegalStateException.class);
        // Nothing holds the index any longer: it can be written again, and has what was added.
        runner.withPropertyValues(PATH + folder)
                .run(context -> assertThat(context.getBean(VectorStore.class).similaritySearch("spider"))
                        .hasSize(1));
    }

    @Test
    void reRankingReturnsAtMostTopN() {
        List<Document> documents = List.of(new Document("a place where bread is made"), new Document("a fear"));
        runner.withPropertyValues(SCORING + "sgpt4j-nano", "spring.ai.sgpt4j.scoring.top-n=1")
                .run(context -> assertThat(
                                context.getBean(DocumentPostProcessor.class).process(new Query("bread"), documents))
                        .hasSize(1));
    }

    @Test
    void withoutSpringAiRagNothingIsReRanked() {
        runner.withClassLoader(new FilteredClassLoader("org.springframework.ai.rag"))
                .withPropertyValues(SCORING + "sgpt4j-nano")
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(CrossEncoder.class));
    }

    @Test
    void theModeOfSearchIsAProperty() {
        runner.withPropertyValues(PATH + folder, "spring.ai.sgpt4j.vectorstore.mode=bm25")
                .run(context -> {
                    VectorStore store = context.getBean(VectorStore.class);
                    store.add(List.of(new Document("a morbid fear of spiders"), new Document("bread")));
                    assertThat(store.similaritySearch("spiders")).hasSize(1);
                });
    }

    @Test
    void beansOfTheApplicationComeFirst() {
        runner.withUserConfiguration(OwnEncoder.class)
                .withPropertyValues(MODEL + "no/such/folder")
                .run(context -> assertThat(context.getBean(EmbeddingModel.class).dimensions())
                        .isEqualTo(8));
        runner.withUserConfiguration(OwnModel.class)
                .run(context -> assertThat(context)
                        .hasSingleBean(SgptEmbeddingModel.class)
                        .getBean(SgptEmbeddingModel.class)
                        .extracting(SgptEmbeddingModel::name)
                        .isEqualTo("own"));
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnEncoder {
        @Bean
        BiEncoder encoder() {
            return BiEncoder.open(
                    NanoModel.directory(), ModelOptions.DEFAULT, BiEncoderOptions.DEFAULT.withDimensions(8));
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnModel {
        @Bean
        SgptEmbeddingModel model(BiEncoder encoder) {
            return SgptEmbeddingModel.builder(encoder).name("own").build();
        }
    }

    @Test
    void whatIsMissingIsNamed() {
        runner.withPropertyValues(MODEL + folder.resolve("nothing"))
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .hasMessageContaining("spring.ai.sgpt4j.embedding.model: expected the folder of a model")
                        .hasMessageContaining("sgpt4j-weights-tools"));
        runner.withClassLoader(new FilteredClassLoader(NanoModel.class))
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .hasMessageContaining("spring.ai.sgpt4j.embedding.model: expected the folder of a model")
                        .hasMessageContaining("sgpt4j-nano"));
        for (String setting : List.of("spring.ai.vectorstore.type=sgpt4j", PATH)) {
            runner.withPropertyValues(setting)
                    .run(context -> assertThat(context)
                            .getFailure()
                            .rootCause()
                            .hasMessageContaining(
                                    "spring.ai.sgpt4j.vectorstore.path: expected the folder of the index"));
        }
        runner.withPropertyValues(MODEL)
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .hasMessageContaining("spring.ai.sgpt4j.embedding.model: expected the name of a model"));
        runner.withPropertyValues("spring.ai.sgpt4j.device=tpu")
                .run(context -> assertThat(context).getFailure().rootCause().hasMessageContaining("tpu"));
    }
}
