package io.github.sgpt4j.backend.cpu.vector;

import org.junit.jupiter.api.Tag;

@Tag("avx512")
class Avx512Test extends VectorCodeTests {
    Avx512Test() {
        super(512, 32);
    }
}
