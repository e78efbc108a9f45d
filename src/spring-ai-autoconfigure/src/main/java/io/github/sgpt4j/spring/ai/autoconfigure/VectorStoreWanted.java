package io.github.sgpt4j.spring.ai.autoconfigure;

import org.springframework.ai.vectorstore.SpringAIVectorStoreTypes;
import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.type.AnnotatedTypeMetadata;

/// A vector store is wanted if `spring.ai.vectorstore.type` is `sgpt4j`, or if it is not set and
/// `spring.ai.sgpt4j.vectorstore.path` is.
final class VectorStoreWanted extends SpringBootCondition {
    @Override
    public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
        String type = context.getEnvironment().getProperty(SpringAIVectorStoreTypes.TYPE);
        String path = context.getEnvironment().getProperty(SgptProperties.PATH);
        boolean wanted = type == null ? path != null : type.equals("sgpt4j");
        ConditionMessage message = ConditionMessage.forCondition("vector store of sgpt4j")
                .because("%s is %s and %s is %s"
                        .formatted(SpringAIVectorStoreTypes.TYPE, type, SgptProperties.PATH, path));
        return new ConditionOutcome(wanted, message);
    }
}
