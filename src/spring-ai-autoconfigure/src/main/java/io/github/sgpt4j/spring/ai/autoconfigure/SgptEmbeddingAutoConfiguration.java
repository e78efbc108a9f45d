package io.github.sgpt4j.spring.ai.autoconfigure;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.spring.ai.SgptEmbeddingModel;
import io.micrometer.observation.ObservationRegistry;
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
        BiEncoderOptions options = BiEncoderOptions.DEFAULT.withTruncate(settings.truncate());
        Integer dimensions = settings.dimensions();
        if (dimensions != null) {
            options = options.withDimensions(dimensions);
        }
        Integer maxLength = settings.maxLength();
        if (maxLength != null) {
            options = options.withMaxLength(maxLength);
        }
        if (settings.model() == null) {
            LOG.info("{} is not set: texts are embedded with the built-in model", property());
        }
        BiEncoder encoder = BiEncoder.open(
                ModelFolders.of(property(), name(properties)), ModelFolders.options(properties), options);
        requireDimensions(encoder, dimensions);
        ModelNotices.tell(encoder.model());
        return encoder;
    }

    private static void requireDimensions(BiEncoder encoder, @Nullable Integer asked) {
        if (asked != null && asked > encoder.dimension()) {
            encoder.close();
            throw new IllegalArgumentException(
                    "%s.embedding.dimensions: expected 1 to %d, as the model %s has no more, got %d"
                            .formatted(
                                    SgptProperties.PREFIX,
                                    encoder.dimension(),
                                    encoder.model().directory(),
                                    asked));
        }
    }

    private static String property() {
        return SgptProperties.PREFIX + ".embedding.model";
    }

    private static String name(SgptProperties properties) {
        String name = properties.embedding().model();
        return name == null ? ModelFolders.BUILT_IN : name;
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
