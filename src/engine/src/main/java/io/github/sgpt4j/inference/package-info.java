/// Runs texts through the decoder: batches distributed over devices, pooling, log-probabilities.
package io.github.sgpt4j.inference;
