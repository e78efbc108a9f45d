package io.github.sgpt4j.spring.ai.autoconfigure;

import io.github.sgpt4j.spring.ai.SgptEmbeddingModel;
import io.github.sgpt4j.spring.ai.SgptVectorStore;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;

/// The health of model and vector store, for the actuator of Spring Boot 4, where its classes moved. Off with
/// `management.health.sgpt4j.enabled=false`.
@AutoConfiguration(after = {SgptEmbeddingAutoConfiguration.class, SgptVectorStoreAutoConfiguration.class})
@ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class, SgptEmbeddingModel.class})
@ConditionalOnEnabledHealthIndicator("sgpt4j")
public class SgptBoot4HealthAutoConfiguration {
    /// Up if a word can be embedded and the index can be read.
    @Bean
    @ConditionalOnBean(SgptEmbeddingModel.class)
    @ConditionalOnMissingBean(name = "sgpt4jHealthIndicator")
    public HealthIndicator sgpt4jHealthIndicator(SgptEmbeddingModel model, ObjectProvider<SgptVectorStore> store) {
        HealthFacts facts = new HealthFacts(model, store);
        return new AbstractHealthIndicator("sgpt4j: health check failed") {
            @Override
            protected void doHealthCheck(Health.Builder builder) throws Exception {
                builder.up().withDetails(facts.check());
            }
        };
    }
}
