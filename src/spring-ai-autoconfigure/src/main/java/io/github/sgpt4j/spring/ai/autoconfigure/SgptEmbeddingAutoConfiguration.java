package io.github.sgpt4j.spring.ai.autoconfigure;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.spring.ai.SgptEmbeddingModel;
import io.micrometer.observation.ObservationRegistry;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationConvention;
import org.springframework.ai.model.SpringAIModelProperties;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/// The embedding model, unless `spring.ai.model.embedding` names that of another provider, or `none`.
@AutoConfiguration
@ConditionalOnClass({EmbeddingModel.class, SgptEmbeddingModel.class})
@ConditionalOnProperty(name = SpringAIModelProperties.EMBEDDING_MODEL, havingValue = "sgpt4j", matchIfMissing = true)
@EnableConfigurationProperties(SgptProperties.class)
public class SgptEmbeddingAutoConfiguration {
    private static final Logger LOG = LoggerFactory.getLogger(SgptEmbeddingAutoConfiguration.class);

    /// Opens the model; closed with the application.
    @Bean
    @ConditionalOnMissingBean
    public BiEncoder sgptBiEncoder(SgptProperties properties) {
        SgptProperties.Embedding settings = properties.embedding();
        if (settings.model() == null) {
            LOG.info("{} is not set: texts are embedded with the built-in model", SgptProperties.EMBEDDING_MODEL);
        }
        String name = Objects.requireNonNullElse(settings.model(), ModelFolders.BUILT_IN);
        BiEncoderOptions options = options(settings);
        // Only a length can be refused while a model is opened: one that has no room for special tokens.
        String refused = settings.maxLength() == null ? SgptProperties.EMBEDDING_MODEL : SgptProperties.MAX_LENGTH;
        BiEncoder encoder = ModelFolders.open(
                SgptProperties.EMBEDDING_MODEL,
                name,
                properties,
                (folder, model) -> SgptPropertyException.naming(refused, () -> BiEncoder.open(folder, model, options)));
        requireDimensions(encoder, settings.dimensions());
        ModelNotices.tell(encoder.model());
        return encoder;
    }

    private static BiEncoderOptions options(SgptProperties.Embedding settings) {
        BiEncoderOptions options = BiEncoderOptions.DEFAULT.withTruncate(settings.truncate());
        Integer dimensions = settings.dimensions();
        BiEncoderOptions cut = dimensions == null
                ? options
                : SgptPropertyException.naming(
                        SgptProperties.DIMENSIONS,
                        () -> options.withTruncateDim(dimensions).withNormalize(true));
        Integer maxLength = settings.maxLength();
        return maxLength == null
                ? cut
                : SgptPropertyException.naming(SgptProperties.MAX_LENGTH, () -> cut.withMaxLength(maxLength));
    }

    private static void requireDimensions(BiEncoder encoder, @Nullable Integer asked) {
        if (asked != null && asked > encoder.dimension()) {
            encoder.close();
            throw new SgptPropertyException(
                    SgptProperties.DIMENSIONS,
                    "expected 1 to %d, as the model %s has no more, got %d"
                            .formatted(encoder.dimension(), encoder.model().directory(), asked));
        }
    }

    /// The model as Spring AI uses it.
    @Bean
    @ConditionalOnMissingBean
    public SgptEmbeddingModel sgptEmbeddingModel(
            BiEncoder encoder,
            ObjectProvider<ObservationRegistry> registry,
            ObjectProvider<EmbeddingModelObservationConvention> convention) {
        SgptEmbeddingModel.Builder builder = SgptEmbeddingModel.builder(encoder);
        registry.ifUnique(builder::observationRegistry);
        convention.ifAvailable(builder::observationConvention);
        return builder.build();
    }
}
