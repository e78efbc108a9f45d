package io.github.sgpt4j.backend.cpu.vector;

import org.junit.jupiter.api.Tag;

@Tag("avx2")
class Avx2Test extends VectorCodeTests {
    Avx2Test() {
        super(256, 16);
    }
}
