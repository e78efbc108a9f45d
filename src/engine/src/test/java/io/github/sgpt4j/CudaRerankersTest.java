package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.testing.DecoderGoldens;
import io.github.sgpt4j.testing.RerankerGoldens.Pairs;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Re-rankers through the CUDA backend: 32-bit floats within the CPU's bound, 16-bit types nearly in
/// the same direction.
@Tag("cuda-only")
class CudaRerankersTest {
    static Stream<GoldenRerankerTest.Case> cases() {
        return GoldenRerankerTest.cases();
    }

    @BeforeEach
    void requireDevice() {
        CudaTests.require();
    }

    private static CrossEncoder open(GoldenRerankerTest.Case golden, JsonNode expected, Dtype dtype) {
        ModelOptions options = ModelOptions.DEFAULT.withDevice("cuda").withDtype(dtype);
        return CrossEncoder.open(DecoderGoldens.model(golden.name()), options, golden.options(expected));
    }

    private static List<CrossEncoder.Score> scores(CrossEncoder encoder, Pairs pairs) {
        return encoder.score(pairs.queries(), pairs.documents(), ProgressListener.NONE);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void scoresAgreeIn32Bits(GoldenRerankerTest.Case golden) {
        JsonNode expected = DecoderGoldens.expected(golden.name());
        Pairs pairs = Pairs.of(expected);
        try (CrossEncoder encoder = open(golden, expected, Dtype.FP32)) {
            List<CrossEncoder.Score> scores = scores(encoder, pairs);
            for (int i = 0; i < scores.size(); i++) {
                int[] at = pairs.indices().get(i);
                GoldenRerankerTest.check(encoder, expected, at[0], at[1], scores.get(i));
            }
        }
    }

    /// The logits of all pairs together.
    @ParameterizedTest
    @MethodSource("cases")
    void logitsPointTheSameWayIn16Bits(GoldenRerankerTest.Case golden) {
        JsonNode expected = DecoderGoldens.expected(golden.name());
        Pairs pairs = Pairs.of(expected);
        for (Dtype dtype : List.of(Dtype.BF16, Dtype.FP16)) {
            try (CrossEncoder encoder = open(golden, expected, dtype)) {
                List<CrossEncoder.Score> scores = scores(encoder, pairs);
                double both = 0;
                double ofExpected = 0;
                double ofActual = 0;
                for (int i = 0; i < scores.size(); i++) {
                    int[] at = pairs.indices().get(i);
                    JsonNode logits = expected.get("logits").get(at[0]).get(at[1]);
                    for (int l = 0; l < logits.size(); l++) {
                        double a = logits.get(l).doubleValue();
                        double b = scores.get(i).logits().get(l);
                        both += a * b;
                        ofExpected += a * a;
                        ofActual += b * b;
                    }
                }
                double cosine = both / Math.sqrt(ofExpected * ofActual);
                assertTrue(cosine >= 0.999, () -> "%s: cosine of logits %f".formatted(dtype, cosine));
            }
        }
    }
}
