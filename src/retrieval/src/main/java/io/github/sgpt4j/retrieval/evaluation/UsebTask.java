package io.github.sgpt4j.retrieval.evaluation;

import java.util.Map;

/// One of the four tasks of USEB (Wang, Reimers and Gurevych 2021, arXiv 2104.06979), read from its
/// published files, with the measures of its own evaluators. Texts are stripped and embedded as plain
/// text.
public sealed interface UsebTask permits AskUbuntuTask, CqaDupStackTask, SciDocsTask, TwitterParaTask {
    /// The name of its folder: `askubuntu`, `cqadupstack`, `scidocs`, `twitterpara`.
    String name();

    /// The measure that counts in USEB's average.
    String mainMeasure();

    /// Embeds the task's texts and computes its measures.
    ///
    /// @param listener told how many texts are embedded
    /// @return values by the names that USEB gives them, in its order
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    Map<String, Double> evaluate(TextEmbedder embedder, EvaluationListener listener);
}
