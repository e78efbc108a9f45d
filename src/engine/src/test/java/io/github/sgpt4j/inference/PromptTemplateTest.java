package io.github.sgpt4j.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PromptTemplateTest {
    @Test
    void theDocumentGoesWhereTheBracesAre() {
        PromptTemplate template = PromptTemplate.parse("a {} b");
        assertEquals("a ", template.before());
        assertEquals(" b", template.parts().getLast());
        assertEquals("a document b", template.context("document"));
        assertEquals("a {} b", template.text());
    }

    @Test
    void bracesInDocumentsAreText() {
        PromptTemplate template = PromptTemplate.parse("<{}>");
        assertEquals("<{} and {{}} $1 \\1 %s>", template.context("{} and {{}} $1 \\1 %s"));
        assertEquals("<>", template.context(""));
    }

    @Test
    void theBracesMayBeEverything() {
        assertEquals("document", PromptTemplate.parse("{}").context("document"));
        assertEquals("", PromptTemplate.parse("{}").before());
    }

    @Test
    void otherBracesStay() {
        assertEquals("{a} {x} {document}", PromptTemplate.parse("{a} {x} {{}}").context("document"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "no braces", "{ }", "}{", "{}{}", "{} and {}", "{document}"})
    void templatesWithoutExactlyOnePlaceAreRefused(String template) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> PromptTemplate.parse(template));
        assertTrue(e.getMessage().contains("\"" + template + "\""), e.getMessage());
    }

    @Test
    void theDefaultIsPromptGOfThePaper() {
        assertEquals(
                "Documents are searched to find matches with the same content.\nThe document \"D\" is a good search"
                        + " result for \"",
                PromptTemplate.DEFAULT.context("D"));
    }
}
