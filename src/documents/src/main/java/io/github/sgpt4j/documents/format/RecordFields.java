package io.github.sgpt4j.documents.format;

import io.github.sgpt4j.documents.decoding.BoundedText;
import io.github.sgpt4j.documents.decoding.FileProblem;
import io.github.sgpt4j.text.Quoted;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Which fields of a record are its title and its text, told by their names in any case. Without one for the
/// text, all fields are, a line `name: value` for each.
///
/// @param title name of the field for the title
/// @param text name of the field for the text
record RecordFields(Optional<String> title, Optional<String> text) {
    private static final List<String> TEXTS = List.of(
            "text",
            "body",
            "content",
            "contents",
            "passage",
            "document",
            "abstract",
            "description",
            "summary",
            "message");
    private static final List<String> TITLES = List.of("title", "headline", "subject", "name");
    private static final List<String> IDS = List.of("_id", "id");

    static RecordFields of(Collection<String> names) {
        return new RecordFields(first(TITLES, names), first(TEXTS, names));
    }

    /// The field that says which record this is.
    static Optional<String> id(Collection<String> names) {
        return first(IDS, names);
    }

    private static Optional<String> first(List<String> wanted, Collection<String> names) {
        for (String name : wanted) {
            for (String field : names) {
                if (field.strip().toLowerCase(Locale.ROOT).equals(name)) {
                    return Optional.of(field);
                }
            }
        }
        return Optional.empty();
    }

    /// Whether one of some names is a title or a text, so that they are names of fields.
    static boolean areKnown(Collection<String> names) {
        return first(TITLES, names).isPresent()
                || first(TEXTS, names).isPresent()
                || id(names).isPresent();
    }

    /// What was chosen, if that is not obvious.
    Optional<String> sentence() {
        if (text.isEmpty()) {
            return Optional.of("no field is named text, body, content or the like: all fields are read");
        }
        boolean expected = text.get().equals("text") && title.orElse("title").equals("title");
        return expected
                ? Optional.empty()
                : Optional.of("text from %s%s"
                        .formatted(
                                Quoted.of(text.get()),
                                title.map(name -> ", title from " + Quoted.of(name))
                                        .orElse("")));
    }

    Optional<String> title(Map<String, String> record) {
        return title.map(name -> record.getOrDefault(name, "").strip()).filter(found -> !found.isEmpty());
    }

    /// @throws FileProblem if it is too long
    String text(Map<String, String> record, int maxCharacters) throws FileProblem {
        BoundedText result = new BoundedText(maxCharacters);
        if (text.isPresent()) {
            return result.append(record.getOrDefault(text.get(), "")).toString();
        }
        for (Map.Entry<String, String> field : record.entrySet()) {
            if (!field.getValue().isBlank() && !title.equals(Optional.of(field.getKey()))) {
                result.append(field.getKey())
                        .append(": ")
                        .append(field.getValue())
                        .append("\n");
            }
        }
        return result.toString();
    }
}
