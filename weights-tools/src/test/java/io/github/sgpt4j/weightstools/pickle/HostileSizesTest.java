package io.github.sgpt4j.weightstools.pickle;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// Pickles that would need much memory or time, or read beyond the end: refused soon, or harmless.
class HostileSizesTest {
    private static PickleBytes pickle() {
        return new PickleBytes();
    }

    private static void refuses(String reason, PickleBytes pickle) {
        HostilePickleTest.refuses(reason, pickle);
    }

    private static String latin1(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    @Test
    void nestedReducesNeedNoStack() {
        // torch.Size(torch.Size(… () …)), a hundred thousand deep, all open at once.
        int depth = 100_000;
        PickleBytes nested = pickle();
        for (int i = 0; i < depth; i++) {
            nested.global("torch", "Size");
        }
        nested.raw(")");
        for (int i = 0; i < depth; i++) {
            nested.op(0x85, 'R');
        }
        assertEquals("a tuple of 0", PickleReaderTest.read(nested.raw(".")).kind());
        PickleBytes endless = pickle().global("torch", "Size").raw(")");
        for (int i = 0; i < 2_000_000; i++) {
            endless.op(0x85);
        }
        refuses(
                "as a key, got a tuple of 1",
                pickle().raw("}").add(endless.raw("R")).raw("Ns."));
        PickleBytes inside = pickle().global("collections", "OrderedDict").raw("(");
        inside.global("builtins", "eval").raw("(").text("1").raw("tRtR.");
        refuses("global \"builtins.eval\" is refused", inside);
    }

    @Test
    void memoBombsRunOutOfBudget() {
        // The same long list is remembered and appended again and again.
        PickleBytes bomb = pickle().raw("](");
        for (int i = 0; i < 1_000; i++) {
            bomb.raw("N");
        }
        bomb.raw("eq\1");
        for (int i = 0; i < 3_000; i++) {
            bomb.op('h', 1).op('r').i32(i);
        }
        refuses("expected one value at the end", bomb.raw("."));

        byte[] puts = new byte[12_000_000];
        for (int i = 0, n = 0; i < puts.length; i += 6, n++) {
            puts[i] = 'N';
            puts[i + 1] = 'r';
            puts[i + 2] = (byte) n;
            puts[i + 3] = (byte) (n >> 8);
            puts[i + 4] = (byte) (n >> 16);
        }
        refuses("expected a pickle of at most about", pickle().raw(latin1(puts)));
    }

    @Test
    void quadraticCopiesRunOutOfBudget() {
        // A list of pairs of 5,000 entries, copied into a new dictionary 100,000 times.
        PickleBytes bomb = pickle().raw("](");
        for (int i = 0; i < 5_000; i++) {
            bomb.op('M', i & 255, i >> 8, 'N', 0x86);
        }
        bomb.raw("e").op(0x85).raw("q\0000");
        for (int i = 0; i < 100_000; i++) {
            bomb.global("collections", "OrderedDict").raw("h\0R0");
        }
        refuses("expected a pickle of at most about", bomb);
    }

    @Test
    void billionLaughsStaySmall() {
        // Each level is ten references to the level below: 10^60 items for a full traversal.
        PickleBytes laughs = pickle().text("ha");
        for (int level = 0; level < 60; level++) {
            laughs.op('q', level, '0', '(');
            for (int i = 0; i < 10; i++) {
                laughs.op('h', level);
            }
            laughs.raw("t");
        }
        assertEquals(
                "a tuple of 10",
                PickleReaderTest.read(pickle().add(laughs).raw(".")).kind());
        refuses(
                "expected a string or an integer as a key, got a tuple of 10",
                pickle().raw("}").add(laughs).raw("Ns."));
        refuses("as persistent id, got a tuple", pickle().add(laughs).raw("Q."));
        refuses("got a call of a tuple of 10", pickle().add(laughs).raw(")R."));
        refuses(
                "integers as a tensor's sizes, got a tuple of 10",
                pickle().global("torch._utils", "_rebuild_tensor")
                        .raw("(")
                        .storage("FloatStorage", "0", 1)
                        .whole(0)
                        .add(laughs)
                        .raw(")tR."));
    }

    @Test
    void containersThatHoldThemselvesAreHarmless() {
        assertEquals("a list", PickleReaderTest.read(pickle().raw("]2a.")).kind());
        PickleBytes itself = pickle().raw("}q\1").text("x").raw("h\1s.");
        assertEquals("a dictionary", PickleReaderTest.read(itself).kind());
    }

    @Test
    void deepNestingIsBounded() {
        refuses("expected at most 1024 open marks", pickle().raw("(".repeat(2_000)));
        refuses("expected at most 1048576 values at once", pickle().raw("N".repeat(2_000_000)));
        byte[] nested = new byte[2_000_000];
        Arrays.fill(nested, (byte) 0x85);
        PickleBytes deep = pickle().raw("N").raw(latin1(nested)).raw(".");
        assertEquals("a tuple of 1", PickleReaderTest.read(deep).kind());
        byte[] lists = new byte[2_000_000];
        Arrays.fill(lists, (byte) ']');
        refuses("expected", pickle().raw(latin1(lists)));
    }

    @Test
    void lengthsBeyondTheEndAreRefused() {
        refuses(
                "expected a length of at most 65536, got 4294967295",
                pickle().op('X').i32(-1));
        refuses(
                "expected a length of at most 65536, got 18446744073709551615",
                pickle().op(0x8d).i64(-1));
        refuses(
                "expected a length of at most 65536, got 9223372036854775807",
                pickle().op(0x8e).i64(Long.MAX_VALUE));
        refuses("expected a length of at most 65536", pickle().op('T').i32(-5));
        refuses(
                "expected 100 more bytes, got the end after 3",
                pickle().op('X').i32(100).raw("abc"));
        refuses("expected a length of at most 16, got 255", pickle().op(0x8a, 255));
        refuses("expected a length of at most 16", pickle().op(0x8b).i32(Integer.MAX_VALUE));
        refuses("expected a frame of at most", pickle().op(0x95).i64(Long.MAX_VALUE));
        refuses("expected a frame of at most", pickle().op(0x95).i64(-1));
    }

    private static PickleBytes tensor(long elements, long offset, long[] shape, long[] strides) {
        return pickle().tensor("FloatStorage", "0", elements, offset, shape, strides)
                .raw(".");
    }

    private static long[] of(long... values) {
        return values;
    }

    @Test
    void tensorsOutsideOfTheirStorageAreRefused() {
        refuses("expected elements within a storage of 40 bytes", tensor(10, 0, of(11), of(1)));
        refuses("expected elements within", tensor(10, 1, of(10), of(1)));
        refuses("expected elements within", tensor(10, 10, of(1), of(1)));
        refuses("expected elements within", tensor(10, 11, of(0), of(1)));
        refuses("expected elements within", tensor(10, -1, of(1), of(1)));
        refuses("expected elements within", tensor(10, 9, of(2), of(-1)));
        refuses("expected elements within", tensor(10, 0, of(2), of(Long.MAX_VALUE)));
        refuses("expected elements within", tensor(10, Long.MAX_VALUE, of(2), of(1)));
        refuses("expected elements within", tensor(10, 0, of(Long.MAX_VALUE), of(0)));
        refuses("negative dimension", tensor(10, 0, of(-1), of(1)));
        refuses("tensor: long overflow", tensor(10, 0, of(1L << 40, 1L << 40), of(0, 0)));
        refuses("as many strides as dimensions", tensor(10, 0, of(1, 1), of(1)));
        refuses("a tuple of at most 64 integers", tensor(10, 0, new long[65], new long[65]));
    }
}
