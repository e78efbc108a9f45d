package io.github.sgpt4j.weightstools;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Map;
import java.util.SortedMap;

/// Writes `model.safetensors.index.json` as transformers does: two spaces of indentation, keys sorted.
final class IndexFile {
    private IndexFile() {}

    static void write(Path file, long elements, long bytes, SortedMap<String, String> fileByTensor) throws IOException {
        StringBuilder text = new StringBuilder("{\n  \"metadata\": {\n");
        text.append("    \"total_parameters\": ").append(elements).append(",\n");
        text.append("    \"total_size\": ").append(bytes).append("\n  },\n  \"weight_map\": {\n");
        for (Iterator<Map.Entry<String, String>> entries =
                        fileByTensor.entrySet().iterator();
                entries.hasNext(); ) {
            Map.Entry<String, String> entry = entries.next();
            text.append("    ").append(quoted(entry.getKey())).append(": ").append(quoted(entry.getValue()));
            text.append(entries.hasNext() ? ",\n" : "\n");
        }
        Files.write(file, text.append("  }\n}\n").toString().getBytes(StandardCharsets.UTF_8));
    }

    private static String quoted(String text) {
        return '"' + new String(JsonStringEncoder.getInstance().quoteAsString(text)) + '"';
    }
}
