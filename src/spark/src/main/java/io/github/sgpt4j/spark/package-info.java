/// Embedding, re-ranking and indexing of Spark's data sets.
package io.github.sgpt4j.spark;
