package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.RotaryParameters;
import java.util.Optional;

/// One layer's weights on a backend.
///
/// @param norm1 norm before (or after) attention
/// @param norm2 norm before (or after) feed-forward; empty if both blocks share the first
/// @param outputNorm1 norm of attention's output, or empty
/// @param outputNorm2 norm of the feed-forward's output, or empty
/// @param queryNorm norm of every query head, or of all together, or empty
/// @param keyNorm norm of every key head, or of all together, or empty
/// @param qkv `[(heads + 2 · kvHeads) · headDim, hidden]`
/// @param rotary rotation of queries and keys, if it is not the model's
/// @param attention parameters of attention in passes for states
/// @param predictingAttention parameters of attention in passes that predict tokens
/// @param attentionOut `[hidden, heads · headDim]`
/// @param up `[feedForward, hidden]`; `[2 · feedForward, hidden]`, gate first, if gated
/// @param down `[hidden, feedForward]`
record DecoderLayer(
        Norm norm1,
        Optional<Norm> norm2,
        Optional<Norm> outputNorm1,
        Optional<Norm> outputNorm2,
        Optional<Norm> queryNorm,
        Optional<Norm> keyNorm,
        Linear qkv,
        Optional<RotaryParameters> rotary,
        AttentionParameters attention,
        AttentionParameters predictingAttention,
        Linear attentionOut,
        Linear up,
        Linear down) {}
