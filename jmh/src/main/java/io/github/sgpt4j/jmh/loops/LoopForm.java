package io.github.sgpt4j.jmh.loops;

/// What a method's code has to look like.
enum LoopForm {
    /// Loops of vectors.
    VECTORS,
    /// Vectors without a loop: it is too short, and the compiler unrolls it whole.
    UNROLLED,
    /// Plain Java. Where the compiler makes vectors of it, they are checked like others.
    PLAIN
}
