package io.github.sgpt4j.backend.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.backend.Activation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The expected numbers are the mathematical values, to 16 digits.
class FunctionsTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "0.5, 0.5204998778130465",
        "1, 0.8427007929497149",
        "-1, -0.8427007929497149",
        "2, 0.9953222650189527",
        "3, 0.9999779095030014",
        "-3, -0.9999779095030014",
        "30, 1",
    })
    void errorFunctionIsExactToFifteenDigits(double x, double expected) {
        assertEquals(expected, Functions.error(x), 1e-15);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1, 0",
        "-3, 1.9999779095030015, 1e-15",
        "2.999, 2.2230168599834058e-05, 1e-11",
        "3, 2.2090496998585438e-05, 1e-14",
        "4, 1.541725790028002e-08, 1e-14",
        "10, 2.088487583762545e-45, 1e-13",
    })
    void complementaryErrorFunctionKeepsItsDigitsInTheTail(double x, double expected, double relative) {
        assertEquals(expected, Functions.complementaryError(x), relative * expected);
    }

    @ParameterizedTest
    @CsvSource({
        "NONE, -2.5, -2.5",
        "RELU, -2.5, 0",
        "RELU, 2.5, 2.5",
        "GELU, 1, 0.8413447460685429",
        "GELU, -1, -0.15865525393145705",
        "GELU, -2, -0.04550026389635844",
        "GELU, -6, -5.919525870226168e-9",
        "GELU, 40, 40",
        "GELU_TANH, 1, 0.8411919906082768",
        "GELU_TANH, -2, -0.04540230591222494",
        "GELU_QUICK, 1, 0.8457957659328212",
        "GELU_QUICK, -2, -0.06434137685579186",
        "SILU, 1, 0.7310585786300049",
        "SILU, -3, -0.14227761953270035",
        "TANH, 1, 0.7615941559557649",
        "SIGMOID, 2, 0.8807970779778823",
        "SIGMOID, 0, 0.5",
    })
    void activationsAreTheirDefinitions(Activation activation, double x, double expected) {
        assertEquals(expected, Functions.apply(activation, x), 2e-15);
    }

    @Test
    void halfPrecisionIsDecodedExactlyForEveryBitPattern() {
        for (int bits = 0; bits < 65536; bits++) {
            assertEquals(Float.float16ToFloat((short) bits), Values.half((short) bits), 0.0, "0x%04x".formatted(bits));
        }
    }
}
