package io.github.sgpt4j.spring.ai.autoconfigure;

import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.spring.ai.SgptDocumentPostProcessor;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.ai.rag.postretrieval.document.DocumentPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/// Re-ranking, if `spring.ai.sgpt4j.scoring.model` names a model and `spring-ai-rag` is present.
@AutoConfiguration
@ConditionalOnClass({DocumentPostProcessor.class, SgptDocumentPostProcessor.class})
@EnableConfigurationProperties(SgptProperties.class)
public class SgptScoringAutoConfiguration {
    private static final Logger LOG = LoggerFactory.getLogger(SgptScoringAutoConfiguration.class);

    /// Opens the model; closed with the application.
    @Bean
    @ConditionalOnMissingBean
    @ConditionalOnProperty(SgptProperties.SCORING_MODEL)
    public CrossEncoder sgptCrossEncoder(SgptProperties properties) {
        String name = Objects.requireNonNull(properties.scoring().model(), SgptProperties.SCORING_MODEL);
        CrossEncoderOptions options =
                CrossEncoderOptions.DEFAULT.withTruncate(properties.scoring().truncate());
        CrossEncoder encoder = ModelFolders.open(
                SgptProperties.SCORING_MODEL,
                name,
                properties,
                (folder, model) -> CrossEncoder.open(folder, model, options));
        ModelNotices.tell(encoder.model());
        encoder.notices().forEach(notice -> LOG.warn("{}", notice));
        return encoder;
    }

    /// The model as Spring AI's retrieval uses it.
    @Bean
    @ConditionalOnMissingBean
    @ConditionalOnBean(CrossEncoder.class)
    public SgptDocumentPostProcessor sgptDocumentPostProcessor(CrossEncoder encoder, SgptProperties properties) {
        SgptDocumentPostProcessor.Builder builder = SgptDocumentPostProcessor.builder(encoder);
        Integer topN = properties.scoring().topN();
        return (topN == null ? builder : SgptPropertyException.naming(SgptProperties.TOP_N, () -> builder.topN(topN)))
                .build();
    }
}
