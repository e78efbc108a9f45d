package io.github.sgpt4j;

import io.github.sgpt4j.inference.PairTemplate;
import io.github.sgpt4j.inference.PairTemplates;
import io.github.sgpt4j.text.Quoted;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The template of a [CrossEncoder]'s prompts, and with it what is read from the model: one of the published
/// ones by name, or one from a file. Immutable.
public final class RerankTemplate {
    /// SGPT's prompt, after which the query's likelihood is computed; see [CrossEncoderOptions#withPrompt].
    public static final RerankTemplate LIKELIHOOD = new RerankTemplate("likelihood", Optional.empty());

    /// Qwen3-Reranker: P(yes) against no, with an instruction.
    public static final RerankTemplate QWEN3_RERANKER = of(PairTemplates.QWEN3_RERANKER);

    /// bge-reranker-v2-gemma: the logit of Yes.
    public static final RerankTemplate BGE_GEMMA = of(PairTemplates.BGE_GEMMA);

    /// mxbai-rerank v2: the logit of 1 minus that of 0, with or without an instruction.
    public static final RerankTemplate MXBAI_V2 = of(PairTemplates.MXBAI_V2);

    /// RankLLaMA: a classification head after `query: …` and `document: …`.
    public static final RerankTemplate RANKLLAMA = of(PairTemplates.RANKLLAMA);

    /// NVIDIA's llama-3.2-nv-rerankqa and llama-nemotron-rerank: a classification head over the mean state.
    public static final RerankTemplate NVIDIA_RERANK = of(PairTemplates.NVIDIA_RERANK);

    private static final List<RerankTemplate> NAMED =
            List.of(LIKELIHOOD, QWEN3_RERANKER, BGE_GEMMA, MXBAI_V2, RANKLLAMA, NVIDIA_RERANK);

    private final String name;
    private final Optional<PairTemplate> pieces;

    private RerankTemplate(String name, Optional<PairTemplate> pieces) {
        this.name = name;
        this.pieces = pieces;
    }

    private static RerankTemplate of(PairTemplate template) {
        return new RerankTemplate(template.name(), Optional.of(template));
    }

    /// The template with this name, such as `qwen3-reranker`.
    ///
    /// @throws IllegalArgumentException if there is none
    public static RerankTemplate named(String name) {
        return NAMED.stream()
                .filter(template -> template.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "template: expected one of %s, got %s".formatted(String.join(", ", names()), Quoted.of(name))));
    }

    /// The names of all named templates.
    public static List<String> names() {
        return NAMED.stream().map(RerankTemplate::name).toList();
    }

    /// Reads a template from a JSON file; src/docs/rerankers.md describes its keys.
    ///
    /// @throws io.github.sgpt4j.error.FormatException if the file is missing or broken, or has other keys
    public static RerankTemplate read(Path file) {
        return of(PairTemplates.read(file));
    }

    /// Its name; that of the file for one that was read.
    public String name() {
        return name;
    }

    /// Empty for the likelihood.
    Optional<PairTemplate> pieces() {
        return pieces;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RerankTemplate template && name.equals(template.name) && pieces.equals(template.pieces);
    }

    @Override
    public int hashCode() {
        return 31 * name.hashCode() + pieces.hashCode();
    }

    @Override
    public String toString() {
        return name;
    }
}
