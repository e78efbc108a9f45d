package io.github.sgpt4j;

/// Memory that the engine allocates to embed with a model.
///
/// Included: the weights that are used and the activations of the tokens computed at the same time. Not
/// included: the Java virtual machine itself, the tokenizer, scratch memory (on the CPU a few megabytes
/// per thread, and with a matrix unit up to 32 megabytes per batch), memory that a device's libraries
/// allocate for themselves, and pages of the mapped weight files that the operating system caches while
/// there is room.
///
/// @param device `cpu` or `cuda`
/// @param dtype how weights are kept; [Dtype#AUTO] occurs for the CPU only, since its meaning depends
///     on the GPU
/// @param weights bytes of weights, without the output head
/// @param head additional bytes that scoring needs for the output head
/// @param activations bytes of the activations of `tokens` tokens
/// @param tokens tokens computed at the same time
public record MemoryNeed(String device, Dtype dtype, long weights, long head, long activations, int tokens) {
    /// Bytes for embedding.
    public long total() {
        return Math.addExact(weights, activations);
    }
}
