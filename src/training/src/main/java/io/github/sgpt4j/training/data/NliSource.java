package io.github.sgpt4j.training.data;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.text.Quoted;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// AllNLI: a file of fields separated by tabs, whose first line names the columns `split`, `sentence1`,
/// `sentence2`, `label` and others. Lines whose split is `train` relate two sentences, in both
/// directions, as `entailment`, `contradiction` or `neutral`.
///
/// As in sentence-transformers' `training_nli_v2.py`, each sentence with both an entailment and a
/// contradiction makes two rows, (sentence, an entailment, a contradiction) and (an entailment,
/// sentence, a contradiction); which ones, the seed determines once for all passes. Sentences are in the
/// order in which they first occur.
///
/// All sentences are kept in memory, about 200 bytes each: 120 MB for the published file.
final class NliSource implements TripleSource {
    private static final String TRAIN = "train";

    private final String name;
    private final List<String> sentences;
    private final Relations entailments;
    private final Relations contradictions;
    private final int[] anchors;
    private final int negatives;
    private final long seed;
    private final DataFile file;

    private NliSource(String name, Reading reading, DataOptions options, int[] anchors, DataFile file) {
        this.name = name;
        this.sentences = reading.sentences;
        this.entailments = reading.entailments;
        this.contradictions = reading.contradictions;
        this.anchors = anchors;
        this.negatives = options.negatives().orElse(1);
        this.seed = options.seed();
        this.file = file;
    }

    static NliSource open(Path file, DataOptions options) {
        if (options.negatives().orElse(1) > 1) {
            throw new FormatException("%s: AllNLI has one negative per row, expected at most 1, got %d"
                    .formatted(file, options.negatives().getAsInt()));
        }
        Reading reading = new Reading();
        DataFile content = LineFile.read(file, reading);
        reading.entailments.index(reading.sentences.size());
        reading.contradictions.index(reading.sentences.size());
        IntList anchors = new IntList();
        for (int i = 0; i < reading.sentences.size(); i++) {
            if (reading.entailments.count(i) > 0 && reading.contradictions.count(i) > 0) {
                anchors.add(i);
            }
        }
        if (anchors.size() == 0) {
            throw new FormatException(
                    "%s: expected a sentence of the split \"train\" with an entailment and a contradiction, found none"
                            .formatted(file));
        }
        return new NliSource(file.toString(), reading, options, anchors.slice(0, anchors.size()), content);
    }

    /// Whether a file's first line names the columns.
    static boolean isNli(Path file) {
        return NliColumns.of(LineFile.firstLine(file)).isPresent();
    }

    /// Collects sentences and their relations.
    private static final class Reading implements LineFile.Visitor {
        private final List<String> sentences = new ArrayList<>();
        private final Map<String, Integer> indices = new HashMap<>();
        private final Relations entailments = new Relations();
        private final Relations contradictions = new Relations();
        private Optional<NliColumns> columns = Optional.empty();

        @Override
        public boolean visit(Supplier<String> where, String line) {
            if (columns.isEmpty()) {
                columns = Optional.of(NliColumns.of(line)
                        .orElseThrow(() -> new FormatException(
                                "%s: expected the columns split, sentence1, sentence2 and label separated by tabs, got %s"
                                        .formatted(where.get(), Quoted.of(line)))));
                return true;
            }
            NliColumns.Pair pair = columns.get().read(where, line);
            if (pair.split().equals(TRAIN)) {
                add(where, pair);
            }
            return true;
        }

        private void add(Supplier<String> where, NliColumns.Pair pair) {
            int first = index(Texts.stripped(() -> where.get() + ": sentence1", pair.first()));
            int second = index(Texts.stripped(() -> where.get() + ": sentence2", pair.second()));
            switch (pair.label()) {
                case "entailment" -> entailments.addBoth(first, second);
                case "contradiction" -> contradictions.addBoth(first, second);
                case "neutral" -> {
                    // Makes no row.
                }
                default ->
                    throw new FormatException("%s: expected the label entailment, contradiction or neutral, got %s"
                            .formatted(where.get(), Quoted.of(pair.label())));
            }
        }

        private int index(String sentence) {
            Integer known = indices.putIfAbsent(sentence, sentences.size());
            if (known != null) {
                return known;
            }
            sentences.add(sentence);
            return sentences.size() - 1;
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int rows() {
        return Math.multiplyExact(2, anchors.length);
    }

    @Override
    public int negatives() {
        return negatives;
    }

    @Override
    public Triple row(int row, long pass) {
        RandomOrder random = new RandomOrder(seed, RandomPurpose.PARTNERS, row);
        int anchor = anchors[row / 2];
        String sentence = sentences.get(anchor);
        String entailment = sentences.get(entailments.get(anchor, random.below(entailments.count(anchor))));
        String contradiction = sentences.get(contradictions.get(anchor, random.below(contradictions.count(anchor))));
        List<String> used = negatives == 0 ? List.of() : List.of(contradiction);
        return row % 2 == 0 ? new Triple(sentence, entailment, used) : new Triple(entailment, sentence, used);
    }

    /// The sentences with an entailment and a contradiction, and these, for tests.
    Map<String, List<List<String>>> partners() {
        Map<String, List<List<String>>> partners = new LinkedHashMap<>();
        for (int anchor : anchors) {
            partners.put(sentences.get(anchor), List.of(texts(entailments, anchor), texts(contradictions, anchor)));
        }
        return partners;
    }

    private List<String> texts(Relations relations, int anchor) {
        return IntStream.range(0, relations.count(anchor))
                .mapToObj(k -> sentences.get(relations.get(anchor, k)))
                .toList();
    }

    @Override
    public List<DataFile> files() {
        return List.of(file);
    }

    @Override
    public List<String> notices() {
        Contradictions equal = new Contradictions();
        for (int row = 0; row < rows(); row++) {
            Triple triple = row(row, 0);
            if (triple.negatives().contains(triple.positive())) {
                equal.add("%s: sentence %s".formatted(name, Quoted.of(sentences.get(anchors[row / 2]))));
            }
        }
        return equal.notices();
    }

    @Override
    public void close() {
        // The file was closed when it was read.
    }
}
