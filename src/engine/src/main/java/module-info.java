/// Sentence embeddings and re-ranking scores from decoder-only language models.
@SuppressWarnings("module") // The tools are compiled after the engine, so the compiler cannot find them yet.
module io.github.sgpt4j.engine {
    requires com.fasterxml.jackson.databind;
    requires jdk.incubator.vector;
    requires static org.jspecify;

    exports io.github.sgpt4j;
    exports io.github.sgpt4j.error;

    // An artifact may bring CUDA's libraries along.
    exports io.github.sgpt4j.backend.cuda.ffi to
            io.github.sgpt4j.cudaredist;

    uses io.github.sgpt4j.backend.cuda.ffi.CudaFolder;

    // Shared with the other modules: file formats, JSON, words of messages, and what is asked of checkpoints.
    exports io.github.sgpt4j.checkpoint to
            io.github.sgpt4j.weightstools;
    exports io.github.sgpt4j.files to
            io.github.sgpt4j.cli,
            io.github.sgpt4j.nano,
            io.github.sgpt4j.retrieval,
            io.github.sgpt4j.training,
            io.github.sgpt4j.weightstools;
    exports io.github.sgpt4j.json to
            io.github.sgpt4j.documents,
            io.github.sgpt4j.retrieval,
            io.github.sgpt4j.training,
            io.github.sgpt4j.weightstools;
    exports io.github.sgpt4j.product to
            io.github.sgpt4j.retrieval;
    exports io.github.sgpt4j.text to
            io.github.sgpt4j.documents,
            io.github.sgpt4j.retrieval,
            io.github.sgpt4j.server,
            io.github.sgpt4j.training,
            io.github.sgpt4j.weightstools;
    exports io.github.sgpt4j.tensor to
            io.github.sgpt4j.retrieval,
            io.github.sgpt4j.training,
            io.github.sgpt4j.weightstools;
    exports io.github.sgpt4j.weights to
            io.github.sgpt4j.retrieval,
            io.github.sgpt4j.training,
            io.github.sgpt4j.weightstools;
}
