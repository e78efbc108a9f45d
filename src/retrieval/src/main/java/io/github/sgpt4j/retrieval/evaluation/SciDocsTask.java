package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.ScoredId;
import io.github.sgpt4j.retrieval.evaluation.Measure.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// SciDocs: a paper's candidates, cited together with it, cited by it, read or viewed with it, are
/// ranked by the cosine and by the Euclidean distance of titles (of vectors of length 1). Papers
/// without a title are left out. The measures are trec_eval's MAP and nDCG over the whole ranking;
/// judged candidates count even without a title.
record SciDocsTask(Map<String, String> titles, Map<String, Map<String, Map<String, Integer>>> parts)
        implements UsebTask {
    private static final List<String> PARTS = List.of("cite", "cocite", "coview", "coread");
    private static final List<Measure> MEASURES = List.of(new Measure(Kind.MAP, 0), new Measure(Kind.NDCG, 0));

    static SciDocsTask read(Path folder, Useb.Split split) throws IOException {
        JsonTree data = JsonTree.read(folder.resolve("data.json"));
        Map<String, String> titles = new LinkedHashMap<>();
        data.field("corpus").fields().forEach((id, paper) -> {
            JsonTree title = paper.field("title");
            if (!title.isNull() && !title.text().isEmpty()) {
                titles.put(id, title.text());
            }
        });
        JsonTree judged = data.field(split == Useb.Split.TEST ? "test" : "valid");
        Map<String, Map<String, Map<String, Integer>>> parts = new LinkedHashMap<>();
        for (String name : PARTS) {
            parts.put(name, part(judged.field(name), titles.keySet()));
        }
        return new SciDocsTask(titles, parts);
    }

    /// Judgements of the queries that have a title.
    private static Map<String, Map<String, Integer>> part(JsonTree part, Set<String> titled) {
        Map<String, Map<String, Integer>> queries = new LinkedHashMap<>();
        part.fields().forEach((query, candidates) -> {
            if (titled.contains(query)) {
                Map<String, Integer> judgements = new LinkedHashMap<>();
                candidates.fields().forEach((id, judgement) -> judgements.put(id, judgement.integer()));
                queries.put(query, judgements);
            }
        });
        if (queries.isEmpty()) {
            throw new FormatException(part.where() + ": expected queries with a title, found none");
        }
        return queries;
    }

    @Override
    public String name() {
        return "scidocs";
    }

    @Override
    public String mainMeasure() {
        return "map_scidocs_cosine_avg";
    }

    @Override
    public Map<String, Double> evaluate(TextEmbedder embedder, EvaluationListener listener) {
        Map<String, Double> values = new LinkedHashMap<>();
        Map<String, List<Double>> byMeasure = new LinkedHashMap<>();
        parts.forEach((part, queries) -> {
            TextVectors vectors =
                    TextVectors.of(texts(queries), embedder, listener, "embed %s %s".formatted(name(), part));
            for (String distance : List.of("euclidean", "cosine")) {
                Run run = run(queries, vectors, distance.equals("cosine"));
                Evaluation.of(Qrels.of(queries), run, MEASURES).means().forEach((measure, mean) -> {
                    values.put("%s_scidocs_%s_%s".formatted(measure, part, distance), mean);
                    byMeasure
                            .computeIfAbsent("%s_scidocs_%s_avg".formatted(measure, distance), k -> new ArrayList<>())
                            .add(mean);
                });
            }
        });
        byMeasure.forEach((measure, means) -> values.put(measure, ScoreStatistics.mean(means)));
        return values;
    }

    private Set<String> texts(Map<String, Map<String, Integer>> queries) {
        Set<String> texts = new LinkedHashSet<>();
        queries.forEach((query, judgements) -> {
            texts.add(titles.getOrDefault(query, ""));
            candidates(judgements).forEach(id -> texts.add(titles.getOrDefault(id, "")));
        });
        return texts;
    }

    private List<String> candidates(Map<String, Integer> judgements) {
        return judgements.keySet().stream().filter(titles::containsKey).toList();
    }

    private Run run(Map<String, Map<String, Integer>> queries, TextVectors vectors, boolean cosine) {
        Map<String, List<ScoredId>> results = new LinkedHashMap<>();
        queries.forEach((query, judgements) -> {
            String title = titles.getOrDefault(query, "");
            List<ScoredId> scored = new ArrayList<>();
            for (String id : candidates(judgements)) {
                String other = titles.getOrDefault(id, "");
                scored.add(new ScoredId(id, cosine ? vectors.cosine(title, other) : -vectors.distance(title, other)));
            }
            results.put(query, scored);
        });
        return Run.of(results);
    }
}
