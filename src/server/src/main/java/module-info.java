/// HTTP server for embeddings, re-ranking and search.
module io.github.sgpt4j.server {
    requires com.fasterxml.jackson.databind;
    requires transitive io.github.sgpt4j.engine;
    requires transitive io.github.sgpt4j.retrieval;
    requires java.management;
    requires jdk.httpserver;
    requires jdk.management;
    requires static org.jspecify;

    exports io.github.sgpt4j.server;
    exports io.github.sgpt4j.server.models;
    exports io.github.sgpt4j.server.search;
}
