package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.ScoredId;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// CQADupStack as in USEB: a forum's questions, except the split's queries, are ranked by cosine for each
/// query. The measures are MAP@100 (average precision of the first 100 by their scores, so divided by the
/// hits among them) and nDCG@10 with binary gains, averaged over queries, then over forums.
record CqaDupStackTask(List<Forum> forums) implements UsebTask {
    private static final int MAP_DEPTH = 100;
    private static final int NDCG_DEPTH = 10;
    private static final int TEXTS_AT_A_TIME = 1024;

    /// @param pool texts to rank, by id
    record Forum(String name, List<Query> queries, Map<String, String> pool) {}

    /// @param relevant ids, some of which may be missing from the pool
    record Query(String id, String text, List<String> relevant) {}

    static CqaDupStackTask read(Path folder, Useb.Split split) throws IOException {
        JsonTree splits = JsonTree.read(folder.resolve("retrieval_split.json"))
                .field(split == Useb.Split.TEST ? "test" : "valid");
        JsonTree corpus = JsonTree.read(folder.resolve("corpus.json"));
        List<Forum> forums = new ArrayList<>();
        for (Map.Entry<String, JsonTree> entry : corpus.fields().entrySet()) {
            forums.add(forum(entry.getKey(), entry.getValue(), splits.field(entry.getKey())));
        }
        if (forums.isEmpty()) {
            throw new FormatException(corpus.where() + ": expected forums, found none");
        }
        return new CqaDupStackTask(forums);
    }

    private static Forum forum(String name, JsonTree texts, JsonTree judged) {
        Map<String, String> pool = new LinkedHashMap<>();
        texts.fields().forEach((id, text) -> pool.put(id, text.text()));
        List<Query> queries = new ArrayList<>();
        judged.fields().forEach((id, relevant) -> {
            String text = pool.remove(id);
            if (text == null) {
                throw new FormatException(
                        "%s: expected a text of the forum, found none of this id".formatted(relevant.where()));
            }
            queries.add(new Query(id, text, relevant.texts()));
        });
        if (queries.stream().allMatch(query -> query.relevant().isEmpty())) {
            throw new FormatException(judged.where() + ": expected queries with relevant texts, found none");
        }
        return new Forum(name, queries, pool);
    }

    @Override
    public String name() {
        return "cqadupstack";
    }

    @Override
    public String mainMeasure() {
        return forums.size() > 1
                ? "map@100_cqadupstack_avg"
                : "map@100_cqadupstack_" + forums.getFirst().name();
    }

    @Override
    public Map<String, Double> evaluate(TextEmbedder embedder, EvaluationListener listener) {
        Map<String, Double> values = new LinkedHashMap<>();
        List<Double> maps = new ArrayList<>();
        List<Double> ndcgs = new ArrayList<>();
        for (Forum forum : forums) {
            Map<String, List<ScoredId>> rankings = search(forum, embedder, listener);
            double map = forum.queries().stream()
                    .mapToDouble(query -> averagePrecision(query, rankings.getOrDefault(query.id(), List.of())))
                    .average()
                    .orElse(0);
            double ndcg = forum.queries().stream()
                    .filter(query -> !query.relevant().isEmpty())
                    .mapToDouble(query -> ndcg(query, rankings.getOrDefault(query.id(), List.of())))
                    .average()
                    .orElse(0);
            values.put("map@100_cqadupstack_" + forum.name(), map);
            values.put("ndcg@10_cqadupstack_" + forum.name(), ndcg);
            maps.add(map);
            ndcgs.add(ndcg);
        }
        if (forums.size() > 1) {
            values.put("map@100_cqadupstack_avg", ScoreStatistics.mean(maps));
            values.put("ndcg@10_cqadupstack_avg", ScoreStatistics.mean(ndcgs));
        }
        return values;
    }

    private Map<String, List<ScoredId>> search(Forum forum, TextEmbedder embedder, EvaluationListener listener) {
        String task = "embed %s %s".formatted(name(), forum.name());
        int total = forum.queries().size() + forum.pool().size();
        float[][] queries = embedder.embed(
                forum.queries().stream()
                        .map(query -> TextRecord.strip(query.text()))
                        .toList(),
                TextKind.TEXT,
                (done, all) -> listener.update(task, done, total));
        ExactSearch search = new ExactSearch(
                forum.queries().stream().map(Query::id).toList(), queries, Similarity.COSINE, MAP_DEPTH, false);
        List<String> ids = List.copyOf(forum.pool().keySet());
        List<String> texts =
                forum.pool().values().stream().map(TextRecord::strip).toList();
        for (int from = 0; from < ids.size(); from += TEXTS_AT_A_TIME) {
            int to = Math.min(from + TEXTS_AT_A_TIME, ids.size());
            long before = (long) queries.length + from;
            search.add(
                    ids.subList(from, to),
                    embedder.embed(
                            texts.subList(from, to),
                            TextKind.TEXT,
                            (done, all) -> listener.update(task, before + done, total)));
        }
        return search.results();
    }

    private static double averagePrecision(Query query, List<ScoredId> ranking) {
        Set<String> relevant = Set.copyOf(query.relevant());
        float[] scores = new float[ranking.size()];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = ranking.get(i).score();
        }
        return ScoreStatistics.averagePrecision(
                ranking.stream().map(found -> relevant.contains(found.id())).toList(), scores);
    }

    private static double ndcg(Query query, List<ScoredId> ranking) {
        Set<String> relevant = Set.copyOf(query.relevant());
        double gained = 0;
        double ideal = 0;
        for (int i = 0; i < NDCG_DEPTH; i++) {
            double gain = Math.log(2) / Math.log(i + 2.0);
            gained += i < ranking.size() && relevant.contains(ranking.get(i).id()) ? gain : 0;
            ideal += i < query.relevant().size() ? gain : 0;
        }
        return gained / ideal;
    }
}
