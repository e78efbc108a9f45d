package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import io.github.sgpt4j.retrieval.passage.TextRange;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.analysis.tokenattributes.OffsetAttribute;
import org.apache.lucene.index.IndexReader;

/// Finds the words of a query in texts, by the analysis that indexes have: English stems, without stop words.
/// Safe to share between threads.
public final class QueryWords {
    private static final Analyzer ANALYZER = Words.analyzer();

    /// Words between two checks for an interrupt.
    private static final int STEP = 1 << 14;

    /// By term.
    private final Map<String, Double> weights;

    private record Match(TextRange range, String term) {}

    private QueryWords(Map<String, Double> weights) {
        this.weights = weights;
    }

    /// The words of a query, each of which counts as much as any other.
    public static QueryWords of(String query) {
        try {
            Map<String, Double> weights = new HashMap<>();
            Words.frequencies(ANALYZER, query).keySet().forEach(term -> weights.put(term, 1.0));
            return new QueryWords(weights);
        } catch (IOException e) {
            throw new IllegalStateException("text in memory cannot fail to be read", e);
        }
    }

    /// The words of a query, of which rare ones count more.
    static QueryWords of(String query, IndexReader reader) throws IOException {
        Map<String, Double> weights = new HashMap<>();
        for (String term : Words.frequencies(ANALYZER, query).keySet()) {
            weights.put(term, Words.rarity(term, reader));
        }
        return new QueryWords(weights);
    }

    /// The places of these words in a text, in its order.
    ///
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    public List<TextRange> in(String text) {
        return matches(text).stream().map(Match::range).toList();
    }

    private List<Match> matches(String text) {
        List<Match> matches = new ArrayList<>();
        if (weights.isEmpty()) {
            return matches;
        }
        try (TokenStream tokens = ANALYZER.tokenStream("", text)) {
            CharTermAttribute term = tokens.addAttribute(CharTermAttribute.class);
            OffsetAttribute place = tokens.addAttribute(OffsetAttribute.class);
            tokens.reset();
            for (int i = 0; tokens.incrementToken(); i++) {
                if (i % STEP == 0) {
                    Interrupts.check("search");
                }
                String found = term.toString();
                if (weights.containsKey(found)) {
                    matches.add(new Match(new TextRange(place.startOffset(), place.endOffset()), found));
                }
            }
            tokens.end();
            return matches;
        } catch (IOException e) {
            throw new IllegalStateException("text in memory cannot fail to be read", e);
        }
    }

    /// How much of the query some parts of a text have: the weights of the words in it, with w · f / (f + 1)
    /// of one that is there f times.
    ///
    /// @param ranges ascending by their starts
    double[] scores(String text, List<TextRange> ranges) {
        List<Match> matches = matches(text);
        double[] scores = new double[ranges.size()];
        int first = 0;
        for (int i = 0; i < scores.length; i++) {
            TextRange range = ranges.get(i);
            while (first < matches.size() && matches.get(first).range.start() < range.start()) {
                first++;
            }
            Map<String, Integer> frequencies = new HashMap<>();
            for (int j = first; j < matches.size() && matches.get(j).range.end() <= range.end(); j++) {
                frequencies.merge(matches.get(j).term, 1, Integer::sum);
            }
            // In one order, so that equal parts have equal scores.
            scores[i] = frequencies.entrySet().stream()
                    .sorted(Map.Entry.comparingByKey(Comparator.naturalOrder()))
                    .mapToDouble(entry ->
                            weights.getOrDefault(entry.getKey(), 0.0) * entry.getValue() / (entry.getValue() + 1))
                    .sum();
        }
        return scores;
    }
}
