/// Prepares checkpoints for the engine: [Converter] turns pickled weights into safetensors, [Verifier]
/// reports all problems of a checkpoint.
package io.github.sgpt4j.weightstools;
