package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ScoringPrompt;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.cli.eval.EvalSources.Collection;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.model.Truncations;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.cli.output.ScratchFolder;
import io.github.sgpt4j.retrieval.Fusion;
import io.github.sgpt4j.retrieval.ModelIdentity;
import io.github.sgpt4j.retrieval.ScoredId;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.evaluation.BeirDataset;
import io.github.sgpt4j.retrieval.evaluation.BeirRetrieval;
import io.github.sgpt4j.retrieval.evaluation.CachedEmbedder;
import io.github.sgpt4j.retrieval.evaluation.CachedPairScorer;
import io.github.sgpt4j.retrieval.evaluation.Evaluation;
import io.github.sgpt4j.retrieval.evaluation.Run;
import io.github.sgpt4j.retrieval.passage.PassageOptions;
import io.github.sgpt4j.retrieval.passage.PassageSplitter;
import io.github.sgpt4j.retrieval.passage.SplitText;
import io.github.sgpt4j.retrieval.passage.TokenCounter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Searches collections in BEIR's layout and evaluates the results.
public final class EvalCollections {
    private final EvalCommand command;
    private final EvalOptions options;
    private final EvalCaches caches;
    private final EvalSources sources;
    private final boolean dropIdentical;

    /// A way to find documents.
    @FunctionalInterface
    private interface Search {
        Run run(BeirRetrieval retrieval) throws IOException;
    }

    public EvalCollections(EvalCommand command, EvalOptions options) {
        this.command = command;
        this.options = options;
        caches = new EvalCaches(command, options);
        sources = new EvalSources(command, options);
        dropIdentical = options.identicalIds(EvalOptions.IdenticalIds.DROP) == EvalOptions.IdenticalIds.DROP;
    }

    /// @param about receives how documents were found, for the report
    public List<EvalResult> evaluate(List<String> directories, Map<String, Object> about) throws IOException {
        List<Collection> collections = new ArrayList<>();
        for (String directory : directories) {
            collections.add(sources.open(directory));
        }
        Map<BeirDataset, Path> runs = runFiles(collections);
        Map<BeirDataset, Run> first = new FirstStages(command, options, dropIdentical).read(collections);
        about.put("mode", options.mode().toString());
        if (collections.stream().map(Collection::split).distinct().count() == 1) {
            about.put("split", collections.getFirst().split());
        }
        about.put("depth", options.depth());
        about.put("identical_ids", dropIdentical ? "drop" : "keep");
        return switch (options.mode()) {
            case BM25 -> evaluate(collections, runs, this::bm25);
            case DENSE, HYBRID -> withEmbedder(collections, runs, about);
            case RERANK -> withScorer(collections, runs, first, about);
        };
    }

    private List<EvalResult> withEmbedder(
            List<Collection> collections, Map<BeirDataset, Path> runs, Map<String, Object> about) throws IOException {
        try (Model model = command.openModel();
                BiEncoder encoder = options.biEncoder(model, command.common());
                CachedEmbedder embedder = caches.embedder(model, encoder)) {
            about.put("model", ModelIdentity.of(encoder).name());
            about.put("fingerprint", encoder.fingerprint());
            about.put("similarity", encoder.similarity().toString());
            put(about, model);
            boolean hybrid = options.mode() == EvalOptions.Mode.HYBRID;
            Splitting splitting = splitting(encoder, about);
            List<EvalResult> results = evaluate(
                    collections,
                    runs,
                    retrieval -> hybrid
                            ? fused(
                                    retrieval,
                                    retrieval.dense(embedder, splitting),
                                    bm25(retrieval),
                                    encoder.similarity())
                            : retrieval.dense(embedder, splitting));
            if (splitting.splitter.isPresent()) {
                command.notice("%,d documents in %,d passages".formatted(splitting.documents, splitting.passages));
            }
            command.notice(
                    "%,d texts embedded, %,d found in the cache".formatted(embedder.computed(), embedder.found()));
            Truncations.of(encoder).forEach(command::notice);
            return results;
        }
    }

    /// Splits documents if that is asked for, and counts.
    private static final class Splitting implements Function<Document, SplitText> {
        private final Optional<PassageSplitter> splitter;
        private long documents;
        private long passages;

        Splitting(Optional<PassageSplitter> splitter) {
            this.splitter = splitter;
        }

        @Override
        public SplitText apply(Document document) {
            SplitText split = splitter.map(s -> s.split(document)).orElseGet(() -> SplitText.whole(document));
            documents++;
            passages += split.ranges().size();
            return split;
        }
    }

    private Splitting splitting(BiEncoder encoder, Map<String, Object> about) {
        try {
            Optional<PassageOptions> passages = options.passages(encoder).filter(asked -> !asked.isOff());
            passages.ifPresent(asked -> about.put(
                    "passages", Map.of("tokens", asked.tokens(), "overlap", asked.overlap(), "pooling", "max")));
            return new Splitting(passages.map(asked -> new PassageSplitter(asked, TokenCounter.of(encoder))));
        } catch (IllegalArgumentException e) {
            throw command.usage(EvalOptions.PASSAGES + ": " + e.getMessage());
        }
    }

    private List<EvalResult> withScorer(
            List<Collection> collections,
            Map<BeirDataset, Path> runs,
            Map<BeirDataset, Run> first,
            Map<String, Object> about)
            throws IOException {
        command.warnAboutReranking();
        try (Model model = command.openModel();
                CrossEncoder encoder = command.scorer(model, options.crossEncoder(command.common()));
                CachedPairScorer scorer = caches.scorer(model, encoder)) {
            about.put("rerank", options.rerank());
            about.put("first_stage", options.firstStage().orElse("bm25"));
            about.put("model", String.valueOf(model.directory().getFileName()));
            about.put("scoring", encoder.method().toString());
            encoder.prompt().ifPresent(prompt -> put(about, prompt));
            put(about, model);
            about.put("fingerprint", encoder.fingerprint());
            List<EvalResult> results = evaluate(
                    collections,
                    runs,
                    retrieval -> retrieval.rerank(firstStage(retrieval, first), options.rerank(), scorer));
            command.notice("%,d pairs scored, %,d found in the cache".formatted(scorer.computed(), scorer.found()));
            Truncations.of(encoder).forEach(command::notice);
            return results;
        }
    }

    /// What scores of pairs depend on besides the model, for reports.
    private static void put(Map<String, Object> about, ScoringPrompt prompt) {
        about.put("prompt", prompt.name());
        if (prompt.choices().isEmpty()) {
            about.put("vocabulary", prompt.vocabulary().toString());
        } else {
            about.put("choices", prompt.choices());
        }
        if (!prompt.name().equals(prompt.text())) {
            about.put("prompt_text", prompt.text());
        }
        prompt.example().ifPresent(example -> about.put("prompt_example", example));
    }

    private void put(Map<String, Object> about, Model model) {
        about.put("device", model.device());
        about.put("dtype", command.common().modelOptions().dtype().toString());
    }

    private Run firstStage(BeirRetrieval retrieval, Map<BeirDataset, Run> runs) throws IOException {
        Run run = runs.get(retrieval.dataset());
        return run == null ? bm25(retrieval) : run;
    }

    private Run bm25(BeirRetrieval retrieval) throws IOException {
        try (ScratchFolder work = caches.workFolder()) {
            return retrieval.bm25(work.path());
        }
    }

    private static Run fused(BeirRetrieval retrieval, Run dense, Run bm25, Similarity similarity) {
        Map<String, List<ScoredId>> results = new LinkedHashMap<>();
        for (String query : retrieval.dataset().queries().keySet()) {
            List<ScoredId> fused = Fusion.hybrid(dense.ranking(query), bm25.ranking(query), similarity);
            results.put(query, fused.subList(0, Math.min(retrieval.depth(), fused.size())));
        }
        return Run.of(results);
    }

    private List<EvalResult> evaluate(List<Collection> collections, Map<BeirDataset, Path> runs, Search search)
            throws IOException {
        List<EvalResult> results = new ArrayList<>();
        for (Collection collection : collections) {
            List<EvalResult.Part> parts = new ArrayList<>();
            for (BeirDataset dataset : collection.parts()) {
                Run run;
                try (EvalProgress progress =
                        new EvalProgress(command.console(), command.common().quiet())) {
                    run = search.run(new BeirRetrieval(dataset, options.depth(), dropIdentical, progress));
                }
                Path file = runs.get(dataset);
                if (file != null) {
                    save(run, file);
                }
                Evaluation evaluation = Evaluation.of(dataset.qrels(), run, options.measures(options.ranked()));
                command.noticeQueries(dataset.name(), evaluation);
                warnAboutDropped(dataset);
                parts.add(new EvalResult.Part(dataset.name(), evaluation, dataset.queries()));
            }
            results.add(new EvalResult(
                    collection.name(),
                    collection.split(),
                    collection.source(),
                    EvalSources.isAsInBeir(collection),
                    parts));
        }
        return results;
    }

    /// BEIR's rule lowers results where equal ids are a coincidence.
    private void warnAboutDropped(BeirDataset dataset) {
        List<String> hurt = dataset.qrels().queries().stream()
                .filter(query -> dataset.qrels().of(query).getOrDefault(query, 0) > 0)
                .toList();
        if (dropIdentical && !hurt.isEmpty()) {
            command.notice("%s: documents with their query's id are left out, among them %,d judged relevant (%s);"
                            .formatted(dataset.name(), hurt.size(), EvalTable.some(hurt))
                    + " --identical-ids keep counts them");
        }
    }

    private void save(Run run, Path file) throws IOException {
        try (Output out = Output.open(command.console(), Optional.of(file.toString()))) {
            run.write(out.stream(), "sgpt-" + options.mode());
            out.finish();
        }
    }

    /// The file for each run, if runs are to be saved.
    private Map<BeirDataset, Path> runFiles(List<Collection> collections) throws IOException {
        Map<BeirDataset, Path> files = new LinkedHashMap<>();
        if (options.saveRun().isEmpty()) {
            return files;
        }
        Path target = TextInput.path(options.saveRun().get());
        boolean single = RunPaths.isSingle(collections);
        files.putAll(RunPaths.of(target, collections));
        if (files.values().stream().distinct().count() < files.size()) {
            throw command.usage("--save-run: expected collections with different names, got two with the same");
        }
        if (!single) {
            Files.createDirectories(target);
        }
        for (Map.Entry<BeirDataset, Path> file : files.entrySet()) {
            EvalCommand.checkWritable(command.console(), file.getValue().toString());
            file.getKey().requireRunIds();
        }
        return files;
    }
}
