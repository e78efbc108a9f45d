/// The gradients of one batch: chunks, and the gradient cache.
package io.github.sgpt4j.training.step;
