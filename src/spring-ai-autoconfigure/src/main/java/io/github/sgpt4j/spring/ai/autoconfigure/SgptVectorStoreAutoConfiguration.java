package io.github.sgpt4j.spring.ai.autoconfigure;

import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.spring.ai.SgptEmbeddingModel;
import io.github.sgpt4j.spring.ai.SgptVectorStore;
import io.micrometer.observation.ObservationRegistry;
import java.nio.file.Path;
import org.springframework.ai.vectorstore.VectorStore;
import org.springframework.ai.vectorstore.observation.VectorStoreObservationConvention;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;

/// The vector store, if one is wanted ([VectorStoreWanted]).
@AutoConfiguration(after = SgptEmbeddingAutoConfiguration.class)
@ConditionalOnClass({VectorStore.class, SgptVectorStore.class})
@Conditional(VectorStoreWanted.class)
@EnableConfigurationProperties(SgptProperties.class)
public class SgptVectorStoreAutoConfiguration {
    /// Opens the index, or creates it; closed with the application.
    ///
    /// @throws RuntimeException if no path is set, or the index cannot be opened there
    @Bean
    @ConditionalOnMissingBean
    @ConditionalOnBean(SgptEmbeddingModel.class)
    public SemanticIndex sgptIndex(SgptEmbeddingModel model, SgptProperties properties) {
        String path = properties.vectorstore().path();
        if (path == null || path.isBlank()) {
            throw new SgptPropertyException(SgptProperties.PATH, "expected the folder of the index, got nothing");
        }
        return SgptPropertyException.opening(
                SgptProperties.PATH, () -> SemanticIndex.open(Path.of(path), model.encoder()));
    }

    /// The index as Spring AI uses it.
    @Bean
    @ConditionalOnMissingBean
    @ConditionalOnBean(SemanticIndex.class)
    public SgptVectorStore sgptVectorStore(
            SemanticIndex index,
            SgptEmbeddingModel model,
            SgptProperties properties,
            ObjectProvider<ObservationRegistry> registry,
            ObjectProvider<VectorStoreObservationConvention> convention) {
        SgptVectorStore.Builder builder = SgptVectorStore.builder(index, model)
                .searchMode(properties.vectorstore().mode());
        registry.ifUnique(builder::observationRegistry);
        convention.ifAvailable(builder::customObservationConvention);
        return builder.build();
    }
}
