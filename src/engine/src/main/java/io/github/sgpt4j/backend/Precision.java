package io.github.sgpt4j.backend;

/// What a backend keeps weights in, and computes products with. Sums, norms, softmax and the residual stream are 32-bit
/// floats in all of them. On the CPU the 16-bit formats are widened in use: its arithmetic is in 32-bit floats, or at
/// their precision on a matrix unit.
public enum Precision {
    /// What suits the device. On the CPU tiles for the matrix unit, of 3 bytes a weight, where that is used, otherwise
    /// the type of the checkpoint; on a GPU bfloat16, before compute capability 8.0 half precision, or
    /// 32-bit floats for models that exceed it.
    AUTO,
    /// 32-bit floats; tiles for the CPU's matrix unit where that is used.
    FP32,
    /// 32-bit floats whose mantissas products cut to 10 bits, on the tensor cores of GPUs; not on the CPU.
    TF32,
    /// bfloat16. On the CPU for the vector units, whatever else there is: the least memory.
    BF16,
    /// IEEE half precision; on a GPU values beyond 65504 become infinite. On the CPU as [#BF16].
    FP16,
    /// 8-bit floats (e4m3) with a scale for each row of weights and of activations, in products on the tensor cores of
    /// GPUs; everything else as in [#BF16]. Not on the CPU.
    FP8
}
