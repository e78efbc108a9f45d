package io.github.sgpt4j.cli.option;

import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.RerankTemplate;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.error.SgptException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/// Options that determine how a model scores pairs.
public final class RerankerOptions {
    public static final String TEMPLATE = "--template";
    public static final String INSTRUCTION = "--instruction";

    @Option(
            names = TEMPLATE,
            paramLabel = "NAME|FILE",
            converter = Template.class,
            description = "How pairs are scored: likelihood, qwen3-reranker, bge-gemma, mxbai-v2, rankllama,"
                    + " nvidia-rerank, or a JSON file (default: depends on the model's files and name, otherwise"
                    + " likelihood).")
    private @Nullable RerankTemplate template;

    @Option(
            names = INSTRUCTION,
            paramLabel = "TEXT",
            description = "Instruction in the prompts of a re-ranker (default: the model's own).")
    private @Nullable String instruction;

    /// A named template, or one from a file.
    public static final class Template implements ITypeConverter<RerankTemplate> {
        @Override
        public RerankTemplate convert(String value) {
            if (RerankTemplate.names().contains(value)) {
                return RerankTemplate.named(value);
            }
            Path file = TextInput.path(new Converters.Name().convert(value));
            if (!Files.exists(file)) {
                throw new TypeConversionException("expected one of %s, or a JSON file, got \"%s\""
                        .formatted(String.join(", ", RerankTemplate.names()), value));
            }
            try {
                return RerankTemplate.read(file);
            } catch (SgptException e) {
                throw new TypeConversionException(String.valueOf(e.getMessage()));
            }
        }
    }

    /// The options with what is given.
    public CrossEncoderOptions apply(CrossEncoderOptions options) {
        CrossEncoderOptions chosen = template == null ? options : options.withTemplate(template);
        return instruction == null ? chosen : chosen.withInstruction(instruction);
    }
}
