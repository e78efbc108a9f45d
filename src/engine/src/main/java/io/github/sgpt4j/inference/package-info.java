/// Texts through the decoder: batches shared out to devices, pooling, log-probabilities.
package io.github.sgpt4j.inference;
