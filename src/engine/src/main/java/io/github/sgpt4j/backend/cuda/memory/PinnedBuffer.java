package io.github.sgpt4j.backend.cuda.memory;

import java.lang.foreign.MemorySegment;

/// Host memory that the device copies from and to by itself, with an event that tells when it has last done so.
///
/// @param memory at least as large as asked for
/// @param event recorded behind the last copy
public record PinnedBuffer(MemorySegment memory, long event) {}
