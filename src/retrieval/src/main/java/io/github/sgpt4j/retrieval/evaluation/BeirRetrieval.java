package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.Bm25Index;
import io.github.sgpt4j.retrieval.ScoredId;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.passage.SplitText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/// Searches a BEIR collection for all of its queries, as BEIR's and SGPT's evaluations do. The corpus
/// is read document by document, so memory grows with the queries' results only.
///
/// Queries are embedded as queries; documents, as `(title + " " + text).strip()`, as documents.
///
/// An interrupt of the calling thread ends the search soon, with a
/// [io.github.sgpt4j.error.CancelledException]; it can be started again.
///
/// @param dataset the collection to search
/// @param depth documents to find per query; BEIR asks for 1000
/// @param dropIdentical skip documents whose id equals the query's, as BEIR does
/// @param listener notified of progress
public record BeirRetrieval(BeirDataset dataset, int depth, boolean dropIdentical, EvaluationListener listener) {
    /// Pairs scored in one call: enough to share work, few enough to report progress often.
    private static final int PAIRS = 1024;

    /// @throws IllegalArgumentException if `depth` is not positive
    public BeirRetrieval {
        if (depth < 1) {
            throw new IllegalArgumentException("depth: expected at least 1, got " + depth);
        }
    }

    /// By similarity of embeddings ([TextEmbedder#similarity]); every document is compared.
    ///
    /// @throws IOException if the corpus cannot be read
    /// @throws FormatException if the corpus is malformed
    public Run dense(TextEmbedder embedder) throws IOException {
        return dense(embedder, SplitText::whole);
    }

    /// By similarity of embeddings of passages: a document is as similar as its nearest passage. The figures
    /// that BEIR and others publish are of whole documents.
    ///
    /// @param split tells a document's passages, such as [io.github.sgpt4j.retrieval.passage.PassageSplitter#split]
    /// @throws IOException if the corpus cannot be read
    /// @throws FormatException if the corpus is malformed
    public Run dense(TextEmbedder embedder, Function<Document, SplitText> split) throws IOException {
        String queryTask = "embed queries of " + dataset.name();
        float[][] queries = embedder.embed(
                List.copyOf(dataset.queries().values()),
                TextKind.QUERY,
                (done, total) -> listener.update(queryTask, done, total));
        ExactSearch search = new ExactSearch(
                List.copyOf(dataset.queries().keySet()), queries, embedder.similarity(), depth, dropIdentical);
        try (CorpusChunks chunks = new CorpusChunks(dataset, listener, "embed " + dataset.name())) {
            for (List<Document> chunk = chunks.next(); !chunk.isEmpty(); chunk = chunks.next()) {
                List<String> texts = new ArrayList<>();
                int[] ends = new int[chunk.size()];
                for (int i = 0; i < ends.length; i++) {
                    texts.addAll(split.apply(chunk.get(i)).texts());
                    ends[i] = texts.size();
                }
                float[][] vectors = embedder.embed(texts, TextKind.DOCUMENT, chunks.progress());
                search.add(chunk.stream().map(Document::id).toList(), ends, vectors);
            }
        }
        return run(search.results());
    }

    /// By words: BM25 with k1 = 0.9, b = 0.4 ([Bm25Index]).
    ///
    /// @param work a directory for the index, which is left in place; an existing index is replaced
    /// @throws IOException if the corpus cannot be read or the index cannot be written
    /// @throws FormatException if the corpus is malformed
    public Run bm25(Path work) throws IOException {
        try (Bm25Index index = index(work)) {
            String task = "search " + dataset.name();
            // One more, for a document with the query's own id.
            int wanted = (int) Math.min(depth + 1L, Math.max(1, index.size()));
            Map<String, List<ScoredId>> results = new LinkedHashMap<>();
            for (Map.Entry<String, String> query : dataset.queries().entrySet()) {
                TopDocuments top = new TopDocuments(depth);
                for (ScoredId found : index.search(query.getValue(), wanted)) {
                    if (!(dropIdentical && found.id().equals(query.getKey()))) {
                        top.offer(found.id(), found.score());
                    }
                }
                results.put(query.getKey(), top.list());
                listener.update(task, results.size(), dataset.queries().size());
            }
            return run(results);
        }
    }

    private Bm25Index index(Path work) throws IOException {
        try (CorpusChunks chunks = new CorpusChunks(dataset, listener, "index " + dataset.name())) {
            return Bm25Index.build(work, new ChunkedDocuments(chunks));
        }
    }

    /// Scores the best documents of a run again and orders them by the new scores; the rest are left
    /// out.
    ///
    /// The corpus is read once more. All queries that a document was found for are scored together, so
    /// that they share the document's part of the work.
    ///
    /// @param first a run over the same collection
    /// @param best documents to score per query; SGPT's evaluations score BM25's first 100
    /// @throws IOException if the corpus cannot be read
    /// @throws FormatException if the corpus is malformed or lacks a document of the run
    public Run rerank(Run first, int best, TextPairScorer scorer) throws IOException {
        Map<String, List<String>> wanted = new HashMap<>();
        long total = 0;
        for (String query : dataset.queries().keySet()) {
            List<ScoredId> ranking = first.ranking(query);
            for (ScoredId document : ranking.subList(0, Math.min(best, ranking.size()))) {
                wanted.computeIfAbsent(document.id(), id -> new ArrayList<>()).add(query);
                total++;
            }
        }
        PairBatch batch = new PairBatch(scorer, total);
        try (CorpusChunks chunks = new CorpusChunks(dataset, EvaluationListener.NONE, "")) {
            for (List<Document> chunk = chunks.next(); !chunk.isEmpty(); chunk = chunks.next()) {
                for (Document document : chunk) {
                    List<String> queries = wanted.remove(document.id());
                    if (queries != null) {
                        batch.add(document, queries);
                    }
                }
            }
        }
        batch.run();
        if (!wanted.isEmpty()) {
            throw new FormatException("%s: expected document %s of the run in the corpus, found none"
                    .formatted(
                            dataset.directory(),
                            ShownText.quoted(wanted.keySet().iterator().next())));
        }
        return run(batch.results);
    }

    /// Pairs waiting to be scored, and the results so far.
    private final class PairBatch {
        private final TextPairScorer scorer;
        private final long total;
        private final Map<String, List<ScoredId>> results = new LinkedHashMap<>();
        private final List<String> queries = new ArrayList<>();
        private final List<Document> documents = new ArrayList<>();
        private long done;

        PairBatch(TextPairScorer scorer, long total) {
            this.scorer = scorer;
            this.total = total;
            dataset.queries().keySet().forEach(query -> results.put(query, new ArrayList<>()));
        }

        void add(Document document, List<String> askedBy) {
            for (String query : askedBy) {
                queries.add(query);
                documents.add(document);
            }
            if (queries.size() >= PAIRS) {
                run();
            }
        }

        void run() {
            long before = done;
            ProgressListener progress =
                    (some, all) -> listener.update("re-rank " + dataset.name(), before + some, total);
            float[] scores = scorer.score(
                    queries.stream().map(dataset.queries()::get).toList(),
                    documents.stream().map(Document::joined).toList(),
                    progress);
            for (int i = 0; i < scores.length; i++) {
                List<ScoredId> ranking = results.get(queries.get(i));
                if (ranking != null) {
                    ranking.add(new ScoredId(documents.get(i).id(), scores[i]));
                }
            }
            done += scores.length;
            queries.clear();
            documents.clear();
        }
    }

    private Run run(Map<String, List<ScoredId>> results) {
        for (List<ScoredId> ranking : results.values()) {
            Set<String> seen = new HashSet<>();
            for (ScoredId document : ranking) {
                if (!seen.add(document.id())) {
                    throw new FormatException("%s: expected each document's id once in the corpus, found %s twice"
                            .formatted(dataset.directory(), ShownText.quoted(document.id())));
                }
            }
        }
        return Run.of(results);
    }
}
