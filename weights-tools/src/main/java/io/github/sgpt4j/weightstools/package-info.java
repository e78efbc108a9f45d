/// Checkpoints made ready for the engine: [Converter] turns pickled weights into safetensors, [Verifier] reports
/// all that is wrong with a checkpoint.
package io.github.sgpt4j.weightstools;
