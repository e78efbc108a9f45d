package io.github.sgpt4j.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.backend.cuda.device.Arithmetic;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EpiloguesTest {
    @ParameterizedTest
    @CsvSource({
        "75,FP16,true",
        "75,FP32,false",
        "80,BF16,false",
        "80,TF32,false",
        "86,FP16,true",
        "89,BF16,false",
        "90,BF16,true",
        "90,FP16,true",
        "100,BF16,true",
        "103,BF16,true",
        "120,BF16,false",
        "120,FP16,false",
        "121,BF16,false"
    })
    void activationsAreFusedWhereTheLibraryDoesItWell(int capability, Arithmetic arithmetic, boolean fused) {
        assertEquals(fused, Epilogues.pays(capability, arithmetic));
    }
}
