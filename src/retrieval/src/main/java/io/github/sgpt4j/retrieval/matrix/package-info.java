/// Matrices of embeddings in files.
package io.github.sgpt4j.retrieval.matrix;
