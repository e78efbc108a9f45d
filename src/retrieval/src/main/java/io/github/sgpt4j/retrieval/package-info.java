/// Semantic search over Lucene: indexes on disk, BM25, dense and hybrid search, re-ranking.
package io.github.sgpt4j.retrieval;
