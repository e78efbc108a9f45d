package io.github.sgpt4j.weightstools.pickle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.github.sgpt4j.error.FormatException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Opcodes are written as characters; `N` in a test's pickle is the number 1, `F` a score.
class ScorePickleTest {
    private static final String NUMBER = "K\1";
    private static final String SCORE = "G\0\0\0\0\0\0\0\0";

    private static List<String> read(String latin1) throws IOException {
        List<String> found = new ArrayList<>();
        InputStream in = new ByteArrayInputStream(latin1.getBytes(StandardCharsets.ISO_8859_1));
        ScorePickle.read(in, "test.pkl", (query, passages, scores, count) -> {
            StringBuilder line = new StringBuilder(query + ":");
            for (int i = 0; i < count; i++) {
                line.append(" %d=%s".formatted(passages[i], scores[i]));
            }
            found.add(line.toString());
        });
        return found;
    }

    private static String pickle(String form) {
        StringBuilder pickle = new StringBuilder("\u0080\2");
        int number = 0;
        for (char c : form.toCharArray()) {
            pickle.append(
                    switch (c) {
                        case 'N' -> "K" + (char) ++number;
                        case 'F' -> SCORE;
                        default -> Character.toString(c);
                    });
        }
        return pickle.toString();
    }

    /// Every way in which Python divides entries.
    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            value = {
                "}., ''",
                "}N}s., 1:",
                "}N}NFss., 1: 2=0.0",
                "}N}(NFNFuNFss., 1: 2=0.0 3=0.0 4=0.0",
                "}(N}NFsN}u., 1: 2=0.0|3:",
                "}(N}N}(NFu(NFuNFsu., 1:|2: 3=0.0 4=0.0 5=0.0",
                "}(u(N}NFsuN}s., 1: 2=0.0|3:"
            })
    void dictionariesAreReadInAnyDivision(String form, String expected) throws IOException {
        String plain = expected.replace("''", "");
        assertEquals(plain.isEmpty() ? List.of() : List.of(plain.split("\\|")), read(pickle(form)));
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            delimiter = ' ',
            value = {
                "N. \"byte 2: expected a dictionary of dictionaries, got an integer\"",
                "}}. \"byte 3: expected a query or the end, got a dictionary\"",
                "}(. \"byte 4: expected a query, got the end\"",
                "}NFs. \"byte 5: expected a dictionary of scores, got a floating-point number\"",
                "}N}NNs. \"byte 8: expected a score or a dictionary of scores, got an integer\"",
                "}N}(N}us. \"byte 9: expected a score, got a dictionary\"",
                "}N}N}ss. \"byte 8: expected the end of an entry, got another dictionary\"",
                "}N}NFu. \"byte 17: expected the end of an entry, got the end of entries\"",
                "}N}(NFs. \"byte 18: expected a passage or the end of the entries, got the end of an entry\"",
                "}N}s.. \"byte 8: expected the end of the file after the pickle, got more\"",
                "}N}(NFN \"byte 20: expected more bytes, got the end\"",
                "}N} \"byte 6: expected more bytes, got the end\""
            })
    void otherStructuresAreRefused(String form, String problem) {
        String got =
                assertThrows(FormatException.class, () -> read(pickle(form))).getMessage();
        if (problem.endsWith("the end") && problem.contains("more bytes")) {
            assertEquals(problem.replaceAll("byte \\d+", ""), got.replaceAll("test.pkl: byte \\d+", ""));
        } else {
            assertEquals("test.pkl: " + problem, got);
        }
    }

    /// Names, references to earlier values, calls, strings: all of which Python would obey.
    @ParameterizedTest
    @CsvSource({
        "cos@system@,\"os.system\"",
        "h\0,opcode 0x68",
        "X\1\0\0\0a,opcode 0x58",
        "\u008c\1a,opcode 0x8c",
        "R,opcode 0x52",
        "\u0093,opcode 0x93",
        "i,opcode 0x69",
        "2,opcode 0x32",
        "N,opcode 0x4e",
        "\u008a\1\1,opcode 0x8a"
    })
    void everythingElseIsRefusedByName(String opcode, String got) {
        String message = assertThrows(FormatException.class, () -> read("\u0080\2}(" + opcode.replace('@', '\n')))
                .getMessage();
        assertEquals(
                "test.pkl: byte 4: expected a query, in whole and floating-point numbers only, got " + got, message);
    }

    @Test
    void numbersOutOfRangeAreRefused() {
        assertEquals(
                "test.pkl: byte 3: expected an id of at least 0, got -1",
                assertThrows(FormatException.class, () -> read("\u0080\2}J\u00ff\u00ff\u00ff\u00ff"))
                        .getMessage());
        assertEquals(
                "test.pkl: byte 8: expected a finite score, got NaN",
                assertThrows(
                                FormatException.class,
                                () -> read("\u0080\2}" + NUMBER + "}" + NUMBER + "G\u007f\u00f8\0\0\0\0\0\0"))
                        .getMessage());
        assertEquals(
                "test.pkl: byte 0: expected pickle protocol 5 or lower at the start, got 6",
                assertThrows(FormatException.class, () -> read("\u0080\6}.")).getMessage());
    }

    @Test
    void whatComesTwiceIsRefused() {
        String inner = "}(" + NUMBER + SCORE + NUMBER + SCORE + "u";
        assertEquals(
                "test.pkl: byte 30: expected passage 1 of query 1 once, got it twice",
                assertThrows(FormatException.class, () -> read("\u0080\2}" + NUMBER + inner + "s."))
                        .getMessage());
        assertEquals(
                "test.pkl: byte 9: expected query 1 once, got it twice",
                assertThrows(FormatException.class, () -> read("\u0080\2}(" + NUMBER + "}" + NUMBER + "}u."))
                        .getMessage());
    }

    @Test
    void aQueryHasABoundedNumberOfScores() {
        InputStream endless = new InputStream() {
            private final byte[] start = ("\u0080\2}" + NUMBER + "}(").getBytes(StandardCharsets.ISO_8859_1);
            private final byte[] entry = (NUMBER + SCORE).getBytes(StandardCharsets.ISO_8859_1);
            private long position;

            @Override
            public int read() {
                long at = position++;
                return at < start.length ? start[(int) at] & 0xFF : entry[(int) ((at - start.length) % entry.length)];
            }
        };
        assertTimeoutPreemptively(
                Duration.ofSeconds(60),
                () -> assertEquals(
                        "expected at most 1048576 scores of a query, got more",
                        assertThrows(
                                        FormatException.class,
                                        () -> ScorePickle.read(
                                                endless, "test.pkl", (query, passages, scores, count) -> {}))
                                .getMessage()
                                .replaceFirst("test.pkl: byte \\d+: ", "")));
    }

    @Test
    void randomBytesAreRefusedOrReadWithoutOtherFailures() throws IOException {
        Random random = new Random(17);
        String alphabet = "}(us.K\1J\0G\u0080\u0094\u0095qrchX";
        for (int i = 0; i < 20_000; i++) {
            StringBuilder bytes = new StringBuilder("\u0080\4}");
            for (int j = random.nextInt(40); j > 0; j--) {
                bytes.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            try {
                read(bytes.toString());
            } catch (FormatException e) {
                assertEquals(0, e.getMessage().indexOf("test.pkl: byte "), e.getMessage());
            }
        }
    }
}
