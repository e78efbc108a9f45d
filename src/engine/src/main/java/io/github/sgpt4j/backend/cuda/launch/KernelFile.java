package io.github.sgpt4j.backend.cuda.launch;

import java.util.List;

/// The source files of kernels, by the beginnings of the names of what is in them.
enum KernelFile {
    EMBED("embed.cu", "sgpt_embed_"),
    NORM("norm.cu", "sgpt_norm_"),
    ACTIVATION("activation.cu", "sgpt_activation_", "sgpt_gated_"),
    ROTARY("rotary.cu", "sgpt_rotary_"),
    SOFTMAX("softmax.cu", "sgpt_softmax_"),
    ATTENTION("attention.cu", "sgpt_attention_mma"),
    ATTENTION_GENERAL("attention_general.cu", "sgpt_attention_general"),
    ATTENTION_GRADIENT("attention_gradient.cu", "sgpt_attention_gradient_"),
    GRADIENTS("gradients.cu", "sgpt_gradient_"),
    SUMS("sums.cu", "sgpt_sums_"),
    POOLING("pooling.cu", "sgpt_pool_"),
    LOGPROB("logprob.cu", "sgpt_logprob_"),
    FP8("fp8.cu", "sgpt_quantise_", "sgpt_rescale_"),
    CONVERT("convert.cu", "sgpt_convert_", "sgpt_transpose_");

    private final String file;
    private final List<String> prefixes;

    KernelFile(String file, String... prefixes) {
        this.file = file;
        this.prefixes = List.of(prefixes);
    }

    /// Resource name beside this class.
    String file() {
        return file;
    }

    /// The file of a kernel.
    static KernelFile of(String kernel) {
        for (KernelFile file : values()) {
            if (file.prefixes.stream().anyMatch(kernel::startsWith)) {
                return file;
            }
        }
        throw new IllegalArgumentException("no kernel " + kernel);
    }
}
