package io.github.sgpt4j.inference;

import java.util.ArrayList;
import java.util.List;

/// A piece of a prompt's template: text with places for the texts of a pair and an instruction.
///
/// @param parts in order
record TemplatePiece(List<Part> parts) {
    /// A place for a text.
    enum Place {
        QUERY("{query}"),
        DOCUMENT("{document}"),
        INSTRUCTION("{instruction}");

        private final String written;

        Place(String written) {
            this.written = written;
        }
    }

    /// One part.
    sealed interface Part {
        record Text(String text) implements Part {}

        record Filled(Place place) implements Part {}
    }

    TemplatePiece {
        parts = List.copyOf(parts);
    }

    /// Reads text in which `{query}`, `{document}` and `{instruction}` stand for the texts.
    static TemplatePiece parse(String text) {
        List<Part> parts = new ArrayList<>();
        int from = 0;
        for (int at = 0; at < text.length(); at++) {
            for (Place place : Place.values()) {
                if (text.startsWith(place.written, at)) {
                    if (at > from) {
                        parts.add(new Part.Text(text.substring(from, at)));
                    }
                    parts.add(new Part.Filled(place));
                    from = at + place.written.length();
                    at = from - 1;
                    break;
                }
            }
        }
        if (from < text.length()) {
            parts.add(new Part.Text(text.substring(from)));
        }
        return new TemplatePiece(parts);
    }

    boolean has(Place place) {
        return parts.contains(new Part.Filled(place));
    }

    /// The piece with its texts.
    String filled(String instruction, String query, String document) {
        StringBuilder text = new StringBuilder();
        for (Part part : parts) {
            text.append(
                    switch (part) {
                        case Part.Text(String fixed) -> fixed;
                        case Part.Filled(Place place) ->
                            switch (place) {
                                case QUERY -> query;
                                case DOCUMENT -> document;
                                case INSTRUCTION -> instruction;
                            };
                    });
        }
        return text.toString();
    }
}
