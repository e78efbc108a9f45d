package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.Norm;

/// A dense layer over the final state of every token, before pooling. Created by [Decoder#tokenLayer],
/// for that decoder only.
///
/// @param linear `[out, in]`
/// @param activation its activation function
/// @param identity norm that leaves rows of the outputs unchanged
public record TokenLayer(Linear linear, Activation activation, Norm identity) {}
