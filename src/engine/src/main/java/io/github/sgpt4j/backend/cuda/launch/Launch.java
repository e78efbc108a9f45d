package io.github.sgpt4j.backend.cuda.launch;

/// How many threads a kernel is started with.
///
/// @param gridX blocks along x
/// @param gridY blocks along y
/// @param blockX threads of a block along x
/// @param blockY threads of a block along y
/// @param sharedBytes dynamic shared memory of a block
record Launch(int gridX, int gridY, int blockX, int blockY, int sharedBytes) {
    Launch {
        if (gridX < 1 || gridY < 1 || blockX < 1 || blockY < 1 || sharedBytes < 0) {
            throw new IllegalArgumentException("launch of %d x %d blocks of %d x %d threads with %d shared bytes"
                    .formatted(gridX, gridY, blockX, blockY, sharedBytes));
        }
    }

    int threads() {
        return Math.multiplyExact(blockX, blockY);
    }
}
