package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.Norm;
import java.util.Optional;

/// One layer's weights on a backend.
///
/// @param norm1 norm before (or after) attention
/// @param norm2 norm before (or after) feed-forward; empty if both blocks share the first
/// @param queryNorm norm of every query head, or empty
/// @param keyNorm norm of every key head, or empty
/// @param qkv `[(heads + 2 · kvHeads) · headDim, hidden]`
/// @param attention parameters of attention
/// @param attentionOut `[hidden, heads · headDim]`
/// @param up `[feedForward, hidden]`; `[2 · feedForward, hidden]`, gate first, if gated
/// @param down `[hidden, feedForward]`
record DecoderLayer(
        Norm norm1,
        Optional<Norm> norm2,
        Optional<Norm> queryNorm,
        Optional<Norm> keyNorm,
        Linear qkv,
        AttentionParameters attention,
        Linear attentionOut,
        Linear up,
        Linear down) {}
