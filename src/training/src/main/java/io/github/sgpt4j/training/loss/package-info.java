/// Losses over embeddings, in 64 bits on the host: values, and gradients with respect to every
/// embedding.
package io.github.sgpt4j.training.loss;
