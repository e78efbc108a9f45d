package io.github.sgpt4j.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.tensor.ElementType;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// The form in which chosen algorithms are kept.
class ProductChoicesTest {
    private static ProductShape shape(int rows, boolean add) {
        return new ProductShape(
                Formula.OUTPUT, rows, 768, 3072, ElementType.BF16, ElementType.F32, 50304L, 36, add, 0x10040100);
    }

    private static byte[] algorithm(int first) {
        byte[] bytes = new byte[64];
        Arrays.fill(bytes, (byte) 0xab);
        bytes[0] = (byte) first;
        return bytes;
    }

    private static ProductChoices two() {
        ProductChoices choices = new ProductChoices();
        choices.choose(shape(128, false), algorithm(1));
        choices.choose(shape(128, true), algorithm(255));
        return choices;
    }

    @Test
    void whatIsWrittenIsRead() {
        ProductChoices read = ProductChoices.parse(two().bytes()).orElseThrow();
        assertEquals(2, read.size());
        assertTrue(read.isChoice(shape(128, false), algorithm(1)));
        assertTrue(read.isChoice(shape(128, true), algorithm(255)));
        assertFalse(read.isChoice(shape(128, true), algorithm(1)));
        assertFalse(read.has(shape(64, true)));
        assertEquals(
                0,
                ProductChoices.parse(new ProductChoices().bytes()).orElseThrow().size());
    }

    /// Products in 8 bits as well, which are kept beside those that stay in 16.
    @Test
    void everyTypeOfProductIsRead() {
        for (ElementType type :
                new ElementType[] {ElementType.F32, ElementType.F16, ElementType.BF16, ElementType.F8_E4M3}) {
            ProductShape shape = new ProductShape(
                    Formula.OUTPUT, 128, 768, 3072, type, ElementType.BF16, 3072L, 1, false, 0x10040100);
            ProductChoices choices = two();
            choices.choose(shape, algorithm(7));
            ProductChoices read = ProductChoices.parse(choices.bytes()).orElseThrow();
            assertTrue(read.isChoice(shape, algorithm(7)), type.name());
        }
    }

    @Test
    void theFirstChoiceStays() {
        ProductChoices choices = two();
        choices.choose(shape(128, false), algorithm(2));
        ProductChoices others = new ProductChoices();
        others.choose(shape(128, true), algorithm(3));
        others.choose(shape(192, true), algorithm(4));
        choices.addAll(others);
        assertTrue(choices.isChoice(shape(128, false), algorithm(1)));
        assertTrue(choices.isChoice(shape(128, true), algorithm(255)));
        assertTrue(choices.isChoice(shape(192, true), algorithm(4)));
    }

    @Test
    void anythingElseIsNotRead() {
        String text = new String(two().bytes(), StandardCharsets.US_ASCII);
        for (String other : new String[] {
            "",
            "\n",
            "sgpt4j products 3\n",
            text.replace("BF16", "F64"),
            text.replace("BF16", "Q4_0"),
            text.replace("true", "TRUE"),
            text.replace("768", "9999999999"),
            text.replace("768", "-768"),
            text.replace("768", "99999999999"),
            text.replace(" ", "  "),
            text.replace("ab", "AB"),
            text + "128",
            text.substring(0, text.length() - 2),
            text.substring(0, text.length() - 65),
        }) {
            assertEquals(Optional.empty(), ProductChoices.parse(other.getBytes(StandardCharsets.US_ASCII)), other);
        }
    }

    @Test
    void noBytesAreTooStrange() {
        byte[] bytes = two().bytes();
        Random random = new Random(5);
        for (int i = 0; i < 3000; i++) {
            byte[] changed = Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
            for (int n = random.nextInt(3); n > 0 && changed.length > 0; n--) {
                changed[random.nextInt(changed.length)] = (byte) random.nextInt();
            }
            assertTrue(ProductChoices.parse(changed).map(ProductChoices::size).orElse(0) <= 2);
        }
    }
}
