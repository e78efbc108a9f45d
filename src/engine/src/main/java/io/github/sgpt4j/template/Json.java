package io.github.sgpt4j.template;

import java.util.List;
import java.util.Map;

/// Writes values as Python's `json.dumps(value, ensure_ascii=False)`.
final class Json {
    private Json() {}

    static void write(Evaluation evaluation, Object value, StringBuilder json) {
        evaluation.step();
        switch (value) {
            case String text -> string(evaluation, text, json);
            case Boolean b -> json.append(b);
            case Long n -> json.append(n);
            case Double n -> json.append(Values.written(n));
            case List<?> list ->
                evaluation.nested(() -> {
                    json.append('[');
                    String between = "";
                    for (Object item : list) {
                        json.append(between);
                        write(evaluation, item, json);
                        between = ", ";
                    }
                    return json.append(']');
                });
            case Map<?, ?> map ->
                evaluation.nested(() -> {
                    json.append('{');
                    String between = "";
                    for (Map.Entry<?, ?> entry : map.entrySet()) {
                        json.append(between);
                        string(evaluation, evaluation.written(entry.getKey()), json);
                        json.append(": ");
                        write(evaluation, entry.getValue(), json);
                        between = ", ";
                    }
                    return json.append('}');
                });
            default -> {
                if (value != Values.Special.NONE) {
                    throw evaluation.broken("the filter \"tojson\": expected a value, got " + Values.kind(value));
                }
                json.append("null");
            }
        }
    }

    private static void string(Evaluation evaluation, String text, StringBuilder json) {
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> json.append("\\\"");
                case '\\' -> json.append("\\\\");
                case '\n' -> json.append("\\n");
                case '\r' -> json.append("\\r");
                case '\t' -> json.append("\\t");
                case '\b' -> json.append("\\b");
                case '\f' -> json.append("\\f");
                default -> {
                    if (c < ' ') {
                        json.append("\\u%04x".formatted((int) c));
                    } else {
                        json.append(c);
                    }
                }
            }
        }
        json.append('"');
        evaluation.grown(json.length());
    }
}
