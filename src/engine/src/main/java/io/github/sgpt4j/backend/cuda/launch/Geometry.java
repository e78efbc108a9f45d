package io.github.sgpt4j.backend.cuda.launch;

import io.github.sgpt4j.backend.cuda.device.Arithmetic;
import io.github.sgpt4j.backend.cuda.device.CudaDevices;
import io.github.sgpt4j.backend.cuda.device.DeviceInfo;
import io.github.sgpt4j.backend.cuda.device.DeviceTypes;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;

/// Grid, block and shared memory of every kernel, as `kernels/README.md` asks. Needs no device, only its limits.
public record Geometry(DeviceInfo device) {
    private static final int MAX_ROW_BLOCKS = 65535;
    private static final int WARP = 32;
    private static final int SUM_SLICE = 256;
    private static final int MAX_SUM_SLICES = 1024;

    /// Tokens of a sequence that one block pools.
    public static final int POOL_SLICE = 64;

    /// Query tokens that a block of the attention kernels works on.
    public static final int ATTENTION_TILE = 64;

    /// An attention kernel and how it is started.
    ///
    /// @param name entry point
    /// @param launch for the tiles and heads asked for
    public record Attention(String name, Launch launch) {}

    /// The kernel for a head size and a type.
    ///
    /// @param bounded whether scores have a bound
    public Attention attention(ElementType type, int headDim, boolean bounded, int tiles, int heads) {
        int blocks = Math.multiplyExact(tiles, heads);
        boolean fragments = type == ElementType.F16 && device.computeCapability() >= CudaDevices.MIN_CAPABILITY
                || type == ElementType.BF16 && device.computeCapability() >= Arithmetic.AMPERE;
        if (fragments && headDim <= 256) {
            int width = bounded || headDim > 128 ? 256 : headDim > 64 ? 128 : 64;
            String name = "sgpt_attention_mma" + (bounded ? "_bounded" : Integer.toString(width));
            int shared = width == 64 ? 24576 : width == 128 ? 49152 : 65536;
            return new Attention(DeviceTypes.kernel(name, type), checked(blocks, 1, 128, 1, shared));
        }
        if (type == ElementType.F32 && headDim <= 64) {
            return new Attention("sgpt_attention_general64_f32", checked(blocks, 1, 256, 1, 34816));
        }
        return new Attention(
                DeviceTypes.kernel("sgpt_attention_general128", type),
                checked(blocks, ceilDiv(headDim, 128), 256, 1, 34816));
    }

    /// Blocks over rows and vectors of columns: embed, activation, gated, convert.
    public Launch rows(long rows, long columns, ElementType in, ElementType out) {
        int vector = in.bytes() == 2 && out.bytes() == 2 ? 8 : 4;
        long vectors = ceilDiv(columns, vector);
        int block = (int) Math.min(128, WARP * ceilDiv(vectors, WARP));
        return checked(ceilDiv(columns, (long) vector * block), Math.min(rows, MAX_ROW_BLOCKS), block, 1, 0);
    }

    /// Threads that share a vector: norm, softmax.
    ///
    /// @param vectors rows times heads or groups
    public Launch norm(long vectors, int columns) {
        int width = WARP;
        while (width < 1024 && 16 * width < columns) {
            width *= 2;
        }
        int together = Math.max(1, 128 / width);
        int shared = width > WARP ? together * (width / WARP) * Float.BYTES : 0;
        return checked(ceilDiv(vectors, together), 1, width, together, shared);
    }

    public Launch rotary(int rows) {
        return checked(rows, 1, 128, 1, 0);
    }

    /// @param longest tokens of the longest sequence
    public Launch pool(int sequences, int longest) {
        return checked(sequences, ceilDiv(longest, POOL_SLICE), 256, 1, POOL_SLICE * 8);
    }

    public Launch poolFinish(int sequences, int columns) {
        return checked(sequences, Math.min(MAX_ROW_BLOCKS, ceilDiv(columns, 128)), 128, 1, 0);
    }

    public Launch poolGradient(int sequences, int columns) {
        return checked(sequences, Math.min(MAX_ROW_BLOCKS, ceilDiv(columns, 128)), 128, 1, 64);
    }

    /// Means and factors of vectors.
    ///
    /// @param vectors rows times heads
    public Launch statistics(long vectors) {
        return checked(ceilDiv(vectors, 256 / WARP), 1, 256, 1, 0);
    }

    /// Vectors that are summed by one block: 256, or so many that there are 1024 blocks at most.
    ///
    /// @param vectors rows times heads
    public static int sumSlice(long vectors) {
        return Math.toIntExact(Math.max(SUM_SLICE, ceilDiv(vectors, MAX_SUM_SLICES)));
    }

    /// @param slices parts that the vectors are divided into
    public Launch sums(long slices, int columns) {
        return checked(ceilDiv(columns, 128), slices, WARP, 8, 4096);
    }

    public Launch sumsFinish(int columns) {
        return checked(ceilDiv(columns, 128), 1, 128, 1, 0);
    }

    /// The gradient of attention.
    ///
    /// @param heads query heads, or key heads where their gradients are computed
    /// @param columns those of a head that are computed
    public Launch attentionGradient(int tiles, int heads, int columns) {
        return checked(Math.multiplyExact(tiles, heads), ceilDiv(columns, 64), 256, 1, 34816);
    }

    /// Floats of scratch memory that pooling needs, 0 if the longest sequence fits one slice.
    public static long poolScratch(int tokens, int sequences, int longest, int columns, int modes) {
        if (longest <= POOL_SLICE) {
            return 0;
        }
        return Math.multiplyExact(Math.multiplyExact((long) tokens / POOL_SLICE + sequences, (long) modes), columns);
    }

    /// Parts that the columns of a block of logits are divided into.
    public int logitSplits(int rows, int columns) {
        long wanted = ceilDiv(4L * device.multiprocessors(), rows);
        return Math.clamp(Math.min(wanted, ceilDiv(columns, 2048)), 1, 64);
    }

    public Launch logitUpdate(int rows, int splits) {
        return checked(rows, splits, 256, 1, 64);
    }

    public Launch logitFinish(int rows) {
        return checked(ceilDiv(rows, 128), 1, 128, 1, 0);
    }

    /// @param rows of the result
    public Launch transpose(long rows, long columns) {
        return checked(ceilDiv(rows, 32), Math.min(MAX_ROW_BLOCKS, ceilDiv(columns, 32)), 32, 8, 4224);
    }

    private Launch checked(long gridX, long gridY, int blockX, int blockY, int sharedBytes) {
        if (gridX > device.gridX()
                || gridY > device.gridY()
                || (long) blockX * blockY > device.threadsPerBlock()
                || sharedBytes > device.sharedBytes()) {
            throw new BackendException(
                    "cuda:%d: a launch of %d x %d blocks of %d x %d threads with %d shared bytes exceeds the device's %d x %d blocks of %d threads with %d bytes; use smaller batches"
                            .formatted(
                                    device.ordinal(),
                                    gridX,
                                    gridY,
                                    blockX,
                                    blockY,
                                    sharedBytes,
                                    device.gridX(),
                                    device.gridY(),
                                    device.threadsPerBlock(),
                                    device.sharedBytes()));
        }
        return new Launch((int) gridX, (int) gridY, blockX, blockY, sharedBytes);
    }

    private static long ceilDiv(long a, long b) {
        return Math.ceilDiv(a, b);
    }

    private static int ceilDiv(int a, int b) {
        return Math.ceilDiv(a, b);
    }
}
