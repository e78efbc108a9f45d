package io.github.sgpt4j.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchSizeTest {
    private static final long MIB = 1 << 20;

    /// An H100, an A100, an RTX 4060, a T4, an MX550 and smaller.
    @ParameterizedTest
    @CsvSource({"132,16384", "108,16384", "64,16384", "24,4096", "40,8192", "16,4096", "1,4096"})
    void largeDevicesTakeMore(int multiprocessors, int expected) {
        assertEquals(expected, BatchSize.tokens(multiprocessors, 1L << 40, 100_000));
    }

    /// 125M takes about 30 KB a token.
    @ParameterizedTest
    @CsvSource({"1875,16384", "1874,8192", "938,8192", "500,4096", "234,1024", "100,512", "50,256", "1,256", "-5,256"})
    void activationsTakeAtMostAQuarterOfTheRoom(long mebibytes, int expected) {
        assertEquals(expected, BatchSize.tokens(132, mebibytes * MIB, 30_000));
    }
}
