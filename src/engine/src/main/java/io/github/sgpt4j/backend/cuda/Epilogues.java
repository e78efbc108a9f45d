package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.cuda.device.Arithmetic;
import io.github.sgpt4j.backend.cuda.device.DeviceInfo;
import io.github.sgpt4j.backend.cuda.ffi.CublasLt;
import java.util.OptionalInt;

/// Which activations are computed in the epilogue of a product, and which by a kernel after it.
///
/// cuBLASLt has all epilogues on all devices, but not everywhere in the kernel of the product. Public reports, none of
/// them measured here: before compute capability 9.0 activations are fused in fp16 only; in bf16 and fp32 a second
/// kernel of the library follows that is slower than a plain one (github.com/karpathy/llm.c, pull requests 338, 591,
/// 653). On 9.0 (same place) and 10.0 (github.com/sgl-project/sglang, 28168) fusing is faster, on 12.0 it is slower
/// again (the same, 34350).
final class Epilogues {
    /// System property: `true` or `false` instead of the choice by device, to compare both.
    static final String PROPERTY = "sgpt4j.cuda.fuseActivations";

    private static final int HOPPER = 90;
    private static final int BLACKWELL_CONSUMER = 120;

    private final boolean fuse;

    Epilogues(DeviceInfo device, Arithmetic arithmetic) {
        fuse = switch (System.getProperty(PROPERTY, "")) {
            case "true" -> true;
            case "false" -> false;
            default -> pays(device.computeCapability(), arithmetic);
        };
    }

    /// Whether the library fuses activations into products.
    ///
    /// @param capability 10 · major + minor
    static boolean pays(int capability, Arithmetic arithmetic) {
        return capability < HOPPER ? arithmetic == Arithmetic.FP16 : capability < BLACKWELL_CONSUMER;
    }

    /// The epilogue that computes an activation, or empty if a kernel does. cuBLASLt's GELU is the tanh approximation.
    OptionalInt of(Activation activation) {
        return switch (activation) {
            case NONE -> OptionalInt.of(CublasLt.EPILOGUE_DEFAULT);
            case RELU -> fused(CublasLt.EPILOGUE_RELU);
            case GELU_TANH -> fused(CublasLt.EPILOGUE_GELU);
            case GELU, GELU_QUICK, SILU, TANH, SIGMOID -> OptionalInt.empty();
        };
    }

    private OptionalInt fused(int epilogue) {
        return fuse ? OptionalInt.of(epilogue) : OptionalInt.empty();
    }
}
