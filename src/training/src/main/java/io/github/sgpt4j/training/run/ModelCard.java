package io.github.sgpt4j.training.run;

import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.training.data.DataFile;
import io.github.sgpt4j.training.data.TripleSource;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;

/// The README of a trained checkpoint: what it was made from and how.
final class ModelCard {
    private ModelCard() {}

    static String text(
            TrainableModel model,
            Map<String, String> settings,
            TripleSource data,
            long step,
            NavigableMap<Long, Map<String, Double>> scores) {
        StringBuilder card = new StringBuilder("""
                ---
                library_name: sentence-transformers
                pipeline_tag: sentence-similarity
                tags:
                - sentence-transformers
                - feature-extraction
                - sgpt
                ---

                # Sentence embeddings

                Trained by sgpt4j from %s (fingerprint `%s`), with the contrastive loss of SGPT
                (Muennighoff 2022, arXiv:2202.08904). This is the state after step %d. `curve.jsonl` has the course of the
                training, `curve.svg` its picture, and `biases.safetensors` the trained tensors alone.

                """.formatted(name(model), model.baseFingerprint(), step));
        card.append("## Settings\n\n| setting | value |\n| --- | --- |\n");
        settings.forEach((name, value) -> card.append("| %s | %s |%n".formatted(cell(name), cell(value))));
        card.append("\n## Data\n\n%,d rows with %d negatives each.%n%n".formatted(data.rows(), data.negatives()));
        for (DataFile file : data.files()) {
            card.append("- `%s`, %,d bytes, SHA-256 `%s`%n".formatted(cell(file.name()), file.bytes(), file.sha256()));
        }
        if (!scores.isEmpty()) {
            card.append("\n## Scores\n\n| step | score |\n| ---: | --- |\n");
            scores.forEach((at, found) -> found.forEach((name, score) ->
                    card.append(String.format(Locale.ROOT, "| %d | %s %.4f |%n", at, cell(name), score))));
        }
        return card.toString();
    }

    private static String name(TrainableModel model) {
        return "`"
                + cell(String.valueOf(
                        model.model().directory().toAbsolutePath().normalize().getFileName())) + "`";
    }

    /// Text that breaks neither a table nor code.
    private static String cell(String text) {
        return text.replaceAll("[\\p{Cntrl}|`]", " ");
    }
}
