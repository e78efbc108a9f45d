package io.github.sgpt4j.retrieval;

import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;

/// How texts become the terms of BM25: Lucene's English analysis (standard tokenizer, possessive `'s`, lower case, 33
/// stop words, Porter's stemmer), which is what Pyserini's and so BEIR's BM25 baselines use.
public final class EnglishAnalysis {
    private EnglishAnalysis() {}

    /// A new analyzer, safe to share between threads; the caller closes it.
    static Analyzer analyzer() {
        return new EnglishAnalyzer();
    }
}
