/// Sentence embeddings and re-ranking scores from decoder-only language models.
module io.github.sgpt4j.engine {
    requires com.fasterxml.jackson.databind;
    requires jdk.incubator.vector;
    requires static org.jspecify;

    exports io.github.sgpt4j;
    exports io.github.sgpt4j.error;
}
