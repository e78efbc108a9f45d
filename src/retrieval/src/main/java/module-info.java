/// Semantic search: indexes on disk, BM25, dense and hybrid search, re-ranking.
@SuppressWarnings("module") // Documents and training are compiled after this, so the compiler cannot find them yet.
module io.github.sgpt4j.retrieval {
    requires com.fasterxml.jackson.databind;
    requires transitive io.github.sgpt4j.engine;
    requires org.apache.commons.statistics.distribution;
    requires org.apache.lucene.analysis.common;
    requires org.apache.lucene.core;
    requires static org.jspecify;

    exports io.github.sgpt4j.retrieval;
    exports io.github.sgpt4j.retrieval.corpus;
    exports io.github.sgpt4j.retrieval.evaluation;
    exports io.github.sgpt4j.retrieval.evaluation.fusion;
    exports io.github.sgpt4j.retrieval.evaluation.significance;
    exports io.github.sgpt4j.retrieval.filter;
    exports io.github.sgpt4j.retrieval.matrix;
    exports io.github.sgpt4j.retrieval.mining;
    exports io.github.sgpt4j.retrieval.passage;

    // Reading of files stops with the thread's interrupt everywhere in the same way.
    exports io.github.sgpt4j.retrieval.interrupts to
            io.github.sgpt4j.documents,
            io.github.sgpt4j.training;
}
