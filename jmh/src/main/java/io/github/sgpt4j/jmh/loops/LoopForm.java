package io.github.sgpt4j.jmh.loops;

/// The expected form of a method's code.
enum LoopForm {
    /// Vector loops.
    VECTORS,
    /// Vectors without a loop: the loop is so short that the compiler unrolls it completely.
    UNROLLED,
    /// Plain Java. If the compiler vectorises it, the loops are checked like others.
    PLAIN
}
