package io.github.sgpt4j.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.testing.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Chat templates against what jinja2 3.1.6 renders, set up as in transformers 5.18 (`chat-templates/cases.json`).
class ChatTemplateTest {
    /// A template with its variables.
    private record Case(String name, String template, Map<String, Object> variables, String result) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static JsonNode file() {
        try (InputStream in = Objects.requireNonNull(
                ChatTemplateTest.class.getResourceAsStream("/chat-templates/cases.json"), "cases.json")) {
            return new ObjectMapper().readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<Case> of(String list) {
        return StreamSupport.stream(file().get(list).spliterator(), false)
                .map(each -> new Case(
                        each.get("name").textValue(),
                        each.get("template").textValue(),
                        variables(each.get("variables")),
                        each.path("result").asText()));
    }

    static Stream<Case> cases() {
        return of("cases");
    }

    static Stream<Case> errors() {
        return of("errors");
    }

    private static Map<String, Object> variables(JsonNode object) {
        Map<String, Object> variables = new LinkedHashMap<>();
        object.properties().forEach(entry -> variables.put(entry.getKey(), value(entry.getValue())));
        return variables;
    }

    private static Object value(JsonNode node) {
        if (node.isTextual()) {
            return node.textValue();
        }
        if (node.isBoolean()) {
            return node.booleanValue();
        }
        if (node.isIntegralNumber()) {
            return node.longValue();
        }
        if (node.isNumber()) {
            return node.doubleValue();
        }
        if (node.isArray()) {
            List<Object> list = new ArrayList<>();
            node.forEach(each -> list.add(value(each)));
            return list;
        }
        return node.isNull() ? Values.Special.NONE : variables(node);
    }

    private static String render(String template) {
        return ChatTemplate.parse(template, "chat_template.jinja").render(Map.of("text", "some text"));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void rendersLikeJinja(Case each) {
        String rendered =
                ChatTemplate.parse(each.template(), "chat_template.jinja").render(each.variables());
        assertEquals(each.result(), rendered);
    }

    @ParameterizedTest
    @MethodSource("errors")
    void whatFailsInJinjaIsAnErrorWithItsLine(Case each) {
        SgptException error = assertThrows(
                SgptException.class,
                () -> ChatTemplate.parse("\n" + each.template(), "chat_template.jinja")
                        .render(each.variables()));
        String message = String.valueOf(error.getMessage());
        assertTrue(message.startsWith("chat_template.jinja, line 2: "), message);
    }

    @Test
    void aTemplateMayRefuseItsMessages() {
        Refusal.check(
                FormatException.class,
                () -> render("a\n{{ raise_exception('roles ' + 'must alternate') }}"),
                "chat_template.jinja, line 2",
                "roles must alternate");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% include 'x' %}",
                "{{ {'a': 1}.items }}",
                "{{ 'a'.upper }}",
                "{% import 'x' as y %}",
                "{% extends 'x' %}",
                "{% call f() %}{% endcall %}",
                "{% filter upper %}{% endfilter %}",
                "{% with x = 1 %}{% endwith %}",
                "{% raw %}{% endraw %}",
                "{% for x in [] recursive %}{% endfor %}",
                "{% set x | upper %}{% endset %}",
                "{{ text | attr('__class__') }}",
                "{{ text | format(1) }}",
                "{{ text is sameas(text) }}",
                "{{ 2 ** 3 }}",
                "{{ text % 1 }}",
                "{{ strftime_now('%d') }}",
                "{{ text.format(1) }}",
                "{{ text.__class__() }}",
                "{{ range(*[1]) }}",
                "{{ 9223372036854775 * 10000 }}",
                "{{ 1234567890123456789 }}",
                "{{ '\\N{DASH}' }}"
            })
    void unknownConstructsAreRefusedByNameAndLine(String template) {
        SgptException error = assertThrows(UnsupportedModelException.class, () -> render("\n\n" + template));
        String message = String.valueOf(error.getMessage());
        assertTrue(message.startsWith("chat_template.jinja, line 3: "), message);
        assertTrue(message.endsWith("is not supported in chat templates"), message);
    }

    @Test
    void anAttributeOfCodeIsNothing() {
        assertEquals("", render("{{ text.__class__ }}{{ text['__class__'] }}"));
    }

    private static void endsSoon(String template) {
        assertTimeoutPreemptively(
                Duration.ofSeconds(30), () -> assertThrows(FormatException.class, () -> render(template)));
    }

    @Test
    void endlessWorkEnds() {
        endsSoon("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}");
        endsSoon("{% set n = namespace(x=0) %}{% for a in range(99999) %}{% for b in range(99) %}"
                + "{% set n.x = n.x + 1 %}{% endfor %}{% endfor %}");
        endsSoon("{{ range(1000000000) }}");
        endsSoon("{{ range(0, 10, 0) }}");
    }

    @Test
    void hugeTextsAreRefused() {
        endsSoon("{{ 'x' * 1000000000000 }}");
        endsSoon("{% set n = namespace(x='x') %}{% for i in range(64) %}{% set n.x = n.x + n.x %}{% endfor %}");
        endsSoon(
                "{% set n = namespace(x='aa') %}{% for i in range(64) %}{% set n.x = n.x.replace('a', n.x) %}{% endfor %}");
        endsSoon("{% set n = namespace(x=['a']) %}{% for i in range(64) %}{% set n.x = n.x + n.x %}{% endfor %}");
        endsSoon("{% for i in range(99999) %}{{ 'x' * 100000 }}{% endfor %}");
    }

    @Test
    void deepNestingIsRefused() {
        endsSoon("{{ " + "(".repeat(100_000) + "1" + ")".repeat(100_000) + " }}");
        endsSoon("{{ " + "[".repeat(100_000) + "]".repeat(100_000) + " }}");
        endsSoon("{{ " + "not ".repeat(100_000) + "1 }}");
        endsSoon("{{ " + "- ".repeat(100_000) + "1 }}");
        endsSoon("{{ 1" + " + 1".repeat(100_000) + " }}");
        endsSoon("{{ text" + " | trim".repeat(100_000) + " }}");
        endsSoon("{{ text" + ".x".repeat(100_000) + " }}");
        endsSoon("{{ 1" + " if 1 else 1".repeat(100_000) + " }}");
        endsSoon("{% if 1 %}".repeat(100_000) + "{% endif %}".repeat(100_000));
        endsSoon("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}");
        endsSoon("{% set n = namespace(x=[]) %}{% for i in range(9999) %}{% set n.x = [n.x] %}{% endfor %}"
                + "{% set m = namespace(x=[]) %}{% for i in range(9999) %}{% set m.x = [m.x] %}{% endfor %}"
                + "{{ n.x == m.x }}");
        endsSoon("{% set n = namespace(x=[]) %}{% for i in range(9999) %}{% set n.x = [n.x] %}{% endfor %}"
                + "{{ n.x | tojson }}");
    }

    @Test
    void aLongTextIsNoProblem() {
        String text = "word ".repeat(1_000_000);
        String rendered = ChatTemplate.parse(
                        "{% set t = messages | map(attribute='content') | first %}{{- '<' + t + '>' + '!' -}}", "t")
                .render(Map.of("messages", List.of(Map.of("role", "query", "content", text))));
        assertEquals("<" + text + ">!", rendered);
    }

    @Test
    void longSumsOfTextsAreNoProblem() {
        assertEquals("a".repeat(100), render("{{ 'a'" + " + 'a'".repeat(99) + " }}"));
    }
}
