package io.github.sgpt4j;

/// Memory that embedding with a model needs, as the engine allocates it.
///
/// Covered are the weights that are computed with and the activations of what is computed at a time. Not covered are
/// the Java virtual machine itself, the tokenizer, scratch memory (on the CPU a few megabytes a thread, and with a
/// matrix unit up to 32 for a batch), what a device's libraries take for themselves, and pages of the mapped weight
/// files that the operating system keeps cached while there is room.
///
/// @param device `cpu` or `cuda`
/// @param dtype how weights are kept; [Dtype#AUTO] is stated for the CPU only, as it depends on the GPU
/// @param weights bytes of weights, without the output head
/// @param head bytes that scoring adds for the output head
/// @param activations bytes of activations of `tokens` tokens
/// @param tokens tokens computed at the same time
public record MemoryNeed(String device, Dtype dtype, long weights, long head, long activations, int tokens) {
    /// Bytes for embedding.
    public long total() {
        return Math.addExact(weights, activations);
    }
}
