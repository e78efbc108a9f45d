/// An HTTP server for embeddings, re-ranking and search.
package io.github.sgpt4j.server;
