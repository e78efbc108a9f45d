package io.github.sgpt4j.retrieval.passage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import io.github.sgpt4j.text.WellFormed;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PassageSplitterTest {
    private static final PassageOptions SMALL = new PassageOptions(32, 8);

    private static Model model;
    private static BiEncoder encoder;

    @BeforeAll
    static void openModel() {
        model = Model.open(NanoModel.directory());
        encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
    }

    @AfterAll
    static void closeModel() {
        encoder.close();
        model.close();
    }

    /// Texts of every shape that has broken splitters.
    private static List<String> texts() {
        Random random = new Random(7);
        List<String> texts = new ArrayList<>(List.of(
                "The first sentence is here. ".repeat(40),
                "One line without an end of any sentence ".repeat(60),
                "nospace".repeat(200),
                "\uD83D\uDC69\u200D\uD83D\uDCBB\uD83C\uDDE9\uD83C\uDDEA".repeat(150),
                "e\u0301\u0302\u0303\u0304".repeat(300),
                "z" + "\u0315".repeat(900),
                "Lines end.\r\nWith two characters\r\n\r\nand paragraphs with blank lines\r\n".repeat(30),
                "\r\r\n\n\r".repeat(300) + "x",
                " ".repeat(3000) + "between blanks" + "\u00A0\t ".repeat(1000),
                "私は猫が好きです。彼は犬が好きです。".repeat(60),
                "私は猫が好きで彼は犬が好き".repeat(60),
                "a. b. c? d! (e.) \"f.\" ".repeat(100),
                "....!!!!????((((".repeat(200),
                "- a point of a list\n- another point of it\n".repeat(60)));
        for (int i = 0; i < 40; i++) {
            StringBuilder text = new StringBuilder();
            while (text.length() < 1500) {
                switch (random.nextInt(8)) {
                    case 0 -> text.append(". ");
                    case 1 -> text.append('\n');
                    case 2 -> text.appendCodePoint(0x1F600 + random.nextInt(50));
                    case 3 ->
                        text.append(Integer.toString(random.nextInt(1 << 20), 36))
                                .append(' ');
                    case 4 -> text.append((char) (0x20 + random.nextInt(0x400)));
                    default -> text.append("word ");
                }
            }
            texts.add(text.toString());
        }
        return texts;
    }

    @Test
    void passagesHaveEveryCharacterInOrderWithinTheBudget() {
        TokenCounter counter = TokenCounter.of(encoder);
        for (PassageOptions options : List.of(SMALL, new PassageOptions(32, 0), new PassageOptions(64, 32))) {
            PassageSplitter splitter = new PassageSplitter(options, counter);
            for (String text : texts()) {
                for (String title : List.of("", "a title", "a title that is far too long ".repeat(9))) {
                    Document document = new Document("1", Optional.of(title), text);
                    check(document, splitter.split(document), options, counter);
                }
            }
        }
    }

    private static void check(Document document, SplitText split, PassageOptions options, TokenCounter counter) {
        String text = document.text();
        BitSet covered = new BitSet();
        for (int i = 0; i < split.ranges().size(); i++) {
            TextRange range = split.ranges().get(i);
            String passage = range.of(text);
            assertTrue(WellFormed.is(passage), () -> "cut within a pair: " + text);
            assertTrue(split.texts().get(i).endsWith(TextRecord.strip(passage)));
            int tokens = counter.count(split.texts().get(i));
            assertTrue(tokens <= options.tokens(), () -> tokens + " tokens: " + passage);
            if (i > 0) {
                TextRange before = split.ranges().get(i - 1);
                assertTrue(range.start() > before.start() && range.end() > before.end(), () -> before + " " + range);
                if (range.start() < before.end()) {
                    String shared = text.substring(range.start(), before.end());
                    assertTrue(counter.count(shared) <= options.overlap() + 3, () -> "overlap: " + shared);
                }
            }
            covered.set(range.start(), range.end());
        }
        for (int i = covered.nextClearBit(0); i < text.length(); i = covered.nextClearBit(i + 1)) {
            assertTrue(TextRecord.strip(text.substring(i, i + 1)).isEmpty(), () -> "left out of: " + text);
        }
    }

    @Test
    void passagesEndAtSentencesAndBeginAgainWithThoseThatOverlap() {
        String text = "Spiders have eight legs. Bread is made of flour. Rain falls from clouds. "
                + "Cats sleep all day. Trains run on rails. Birds build nests. ";
        SplitText split = new PassageSplitter(new PassageOptions(24, 8), TokenCounter.of(encoder))
                .split(new Document("1", Optional.of("Facts"), text));
        assertTrue(split.ranges().size() > 1);
        for (int i = 0; i < split.texts().size(); i++) {
            assertTrue(split.texts().get(i).startsWith("Facts "), split.texts()::toString);
            assertTrue(split.texts().get(i).endsWith("."), split.texts()::toString);
        }
        for (int i = 1; i < split.ranges().size(); i++) {
            String repeated = text.substring(
                    split.ranges().get(i).start(), split.ranges().get(i - 1).end());
            assertTrue(repeated.endsWith(".") && repeated.indexOf('.') == repeated.length() - 1, repeated);
        }
    }

    @Test
    void aDocumentThatFitsIsOnePassageAsItAlwaysWas() {
        PassageSplitter splitter = new PassageSplitter(SMALL, TokenCounter.of(encoder));
        for (String text : List.of("", " ", "A short text. With two sentences.\n")) {
            Document document = new Document("1", Optional.of("title"), text);
            assertEquals(SplitText.whole(document), splitter.split(document));
        }
        SplitText plain = splitter.split(Document.of("1", " as it is "));
        assertEquals(List.of(" as it is "), plain.texts());
    }

    @Test
    void aTitleThatIsTooLongIsCutAndSaidToBe() {
        PassageSplitter splitter = new PassageSplitter(SMALL, TokenCounter.of(encoder));
        String text = "The first sentence is here. ".repeat(40);
        SplitText split = splitter.split(new Document("1", Optional.of("a long title of words ".repeat(9)), text));
        assertTrue(split.titleCut());
        assertTrue(split.texts().getLast().startsWith("a long title"));
        assertFalse(
                splitter.split(new Document("1", Optional.of("a title"), text)).titleCut());
    }

    @Test
    void theWorkGrowsWithTheLengthOnly() {
        int size = 1_000_000;
        for (String piece : List.of(
                "x",
                " ",
                "a ",
                "a. ",
                "Ab. ",
                "..",
                ".\"",
                "(",
                ".( a",
                "\n",
                "\r\n",
                "\uD83D\uDE00",
                "\u0301",
                "word word, word; ",
                "A sentence of some words follows. ")) {
            String text = piece.repeat(size / piece.length());
            AtomicLong counted = new AtomicLong();
            TokenCounter quarter = part -> {
                counted.addAndGet(part.length());
                return 2 + part.length() / 4;
            };
            long start = System.nanoTime();
            SplitText split = new PassageSplitter(new PassageOptions(256, 32), quarter).split(Document.of("1", text));
            double seconds = (System.nanoTime() - start) / 1e9;
            assertTrue(counted.get() < 20L * size, () -> "counted " + counted + " characters of " + piece);
            assertTrue(seconds < 20, () -> "took %s s of %s".formatted(seconds, piece));
            assertTrue(split.ranges().size() <= size / 400 || !piece.isBlank(), () -> piece);
        }
    }

    @Test
    void aCounterThatCountsNothingOrTooMuchEndsToo() {
        String text = "Words and sentences. ".repeat(500);
        SplitText nothing =
                new PassageSplitter(SMALL, part -> part.length() > 5000 ? 33 : 0).split(Document.of("1", text));
        assertTrue(nothing.ranges().size() <= 4);
        SplitText everything =
                new PassageSplitter(SMALL, part -> part.isEmpty() ? 0 : 100).split(Document.of("1", "s\u00f6me text"));
        assertEquals(8, everything.ranges().size());
    }

    @Test
    void optionsThatCannotWorkAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> PassageOptions.of(15));
        assertThrows(IllegalArgumentException.class, () -> PassageOptions.of(0));
        assertThrows(IllegalArgumentException.class, () -> new PassageOptions(64, 33));
        assertThrows(IllegalArgumentException.class, () -> new PassageSplitter(SMALL, text -> 20));
        int most = encoder.maxLength(TextKind.DOCUMENT);
        PassageOptions.of(most).requireFit(encoder);
        String message = assertThrows(
                        IllegalArgumentException.class,
                        () -> PassageOptions.of(most + 1).requireFit(encoder))
                .getMessage();
        assertEquals("passage tokens: expected at most 256, which the model reads of a document, got 257", message);
        assertEquals(new PassageOptions(256, 32), PassageOptions.of(encoder));
    }
}
