package io.github.sgpt4j.training.run;

import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.training.data.DataFile;
import io.github.sgpt4j.training.data.TeacherSource;
import io.github.sgpt4j.training.data.TrainingSource;
import io.github.sgpt4j.training.data.TripleSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;

/// The README of a trained checkpoint: what it was made from and how.
final class ModelCard {
    private final StringBuilder card = new StringBuilder();

    private ModelCard() {}

    static String text(
            TrainableModel model,
            Map<String, String> settings,
            TrainingSource<?> data,
            long step,
            NavigableMap<Long, Map<String, Double>> scores) {
        ModelCard card = new ModelCard();
        card.add("""
                ---
                library_name: sentence-transformers
                pipeline_tag: sentence-similarity
                tags:
                - sentence-transformers
                - feature-extraction
                - sgpt
                ---

                # Sentence embeddings

                Trained by sgpt4j from %s (fingerprint `%s`), with
                %s.
                This is the state after step %d. `curve.jsonl` has the course of the training, `curve.svg` its picture, and `biases.safetensors` the trained tensors alone.

                ![the course of the training](curve.svg)

                """, name(model), model.baseFingerprint(), loss(data), step);
        card.addSettings(settings);
        card.addData(data);
        card.addScores(step, scores);
        return card.card.toString();
    }

    private static String loss(TrainingSource<?> data) {
        return switch (data) {
            case TripleSource _ -> "the contrastive loss of SGPT (Muennighoff 2022, arXiv:2202.08904)";
            case TeacherSource _ -> "the embeddings of a teacher (distillation: Zhang et al., arXiv:2412.19048)";
        };
    }

    private void add(String format, Object... values) {
        card.append(String.format(Locale.ROOT, format, values));
    }

    private void addSettings(Map<String, String> settings) {
        add("## Settings\n\n| setting | value |\n| --- | --- |\n");
        settings.forEach((name, value) -> add("| %s | %s |\n", cell(name), cell(value)));
    }

    private void addData(TrainingSource<?> data) {
        switch (data) {
            case TripleSource triples ->
                add("\n## Data\n\n%,d rows, negatives per row: %d.\n\n", data.rows(), triples.negatives());
            case TeacherSource teacher ->
                add(
                        "\n## Data\n\n%,d texts with embeddings of a teacher, of %d numbers each.\n\n",
                        data.rows(), teacher.dimension());
        }
        for (DataFile file : data.files()) {
            add("- `%s`, %,d bytes, SHA-256 `%s`\n", cell(file.name()), file.bytes(), file.sha256());
        }
    }

    /// What training changed, then a row per evaluation and a column per score.
    ///
    /// @param chosen the step that the model is of
    private void addScores(long chosen, NavigableMap<Long, Map<String, Double>> scores) {
        List<String> names = scores.values().stream()
                .flatMap(found -> found.keySet().stream())
                .distinct()
                .toList();
        if (names.isEmpty()) {
            return;
        }
        add("\n## Scores\n\n");
        Map<String, Double> before = scores.getOrDefault(0L, Map.of());
        Map<String, Double> after = scores.getOrDefault(chosen, Map.of());
        if (chosen > 0 && names.stream().anyMatch(name -> before.containsKey(name) && after.containsKey(name))) {
            add("| score | before training | this model | difference |\n| --- | ---: | ---: | ---: |\n");
            for (String name : names) {
                if (before.containsKey(name) && after.containsKey(name)) {
                    double change = after.get(name) - before.get(name);
                    add(
                            "| %s | %s | %s | %+.4f |\n",
                            cell(name), number(before.get(name)), number(after.get(name)), change);
                }
            }
            add("\nAll evaluations; step 0 is the model before training:\n\n");
        }
        add("| step |");
        names.forEach(name -> add(" %s |", cell(name)));
        add("\n| ---: |%s\n", " ---: |".repeat(names.size()));
        scores.forEach((step, found) -> {
            add("| %d |", step);
            names.forEach(name -> add(" %s |", found.containsKey(name) ? number(found.get(name)) : ""));
            add("\n");
        });
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
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
