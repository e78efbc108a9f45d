package io.github.sgpt4j.langchain4j;

import dev.langchain4j.data.document.Metadata;
import dev.langchain4j.data.segment.TextSegment;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Text segments of the framework as documents of an index, and back.
///
/// Whole numbers become [Long], others [Double], and a [UUID] its text, all of which the getters of the
/// framework's metadata turn back.
final class Segments {
    /// The entry of the metadata that has a document's title.
    static final String TITLE = "title";

    private Segments() {}

    /// @param segment null for an embedding alone
    static Document document(String id, @Nullable TextSegment segment) {
        return segment == null
                ? Document.of(id, "")
                : Document.of(id, segment.text()).withMetadata(metadata(segment.metadata()));
    }

    private static io.github.sgpt4j.retrieval.corpus.Metadata metadata(Metadata metadata) {
        Map<String, Object> values = new TreeMap<>();
        metadata.toMap().forEach((key, value) -> values.put(key, value(value)));
        return io.github.sgpt4j.retrieval.corpus.Metadata.of(values);
    }

    /// A value of the framework as an index has it. A [Float] becomes the [Double] of the same digits, by
    /// which the framework's filters compare it with numbers of other kinds.
    static Object value(Object value) {
        return switch (value) {
            case UUID uuid -> uuid.toString();
            case Float number -> widened(number);
            default -> value;
        };
    }

    private static double widened(float number) {
        double ofDigits = Double.parseDouble(Float.toString(number));
        return (float) ofDigits == number ? ofDigits : number;
    }

    /// Whether the framework refuses an id or a name because it has nothing to see.
    static boolean isBlank(String text) {
        return text.trim().isEmpty();
    }

    /// What cannot be seen, for a message.
    static String shownBlank(String text) {
        return text.chars().mapToObj("\\u%04x"::formatted).collect(Collectors.joining("", "\"", "\""));
    }

    /// The text as it was embedded, title first, with the document's metadata and its title; empty if the
    /// document has no text.
    ///
    /// @throws IllegalStateException if the framework does not take a name of its metadata
    static Optional<TextSegment> segment(Document document) {
        String text = document.joined();
        if (text.isBlank()) {
            return Optional.empty();
        }
        document.metadata().asMap().keySet().stream()
                .filter(Segments::isBlank)
                .findFirst()
                .ifPresent(name -> {
                    throw new IllegalStateException(
                            "document %s: expected names of metadata that are not blank, as LangChain4j needs them, got %s"
                                    .formatted(document.id(), shownBlank(name)));
                });
        Metadata metadata = new Metadata();
        document.title().ifPresent(title -> metadata.put(TITLE, title));
        document.metadata().asMap().forEach((name, value) -> metadata.putAll(Map.of(name, shown(value))));
        return Optional.of(TextSegment.from(text, metadata));
    }

    /// The framework knows neither lists nor booleans.
    private static Object shown(Object value) {
        return switch (value) {
            case Boolean truth -> truth.toString();
            case List<?> values -> values.stream().map(String::valueOf).collect(Collectors.joining(", "));
            default -> value;
        };
    }
}
