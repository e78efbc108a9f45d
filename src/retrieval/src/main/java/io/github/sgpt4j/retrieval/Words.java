package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.filter.Filter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.FieldType;
import org.apache.lucene.index.IndexOptions;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.FieldComparator;
import org.apache.lucene.search.FieldComparatorSource;
import org.apache.lucene.search.FieldDoc;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.Pruning;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.Scorer;
import org.apache.lucene.search.SearcherFactory;
import org.apache.lucene.search.Sort;
import org.apache.lucene.search.SortField;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.Weight;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.search.similarities.Similarity;
import org.apache.lucene.util.BytesRef;
import org.jspecify.annotations.Nullable;

/// The words of documents and queries, and their weights: BEIR's BM25 baseline as Pyserini publishes it
/// ("flat").
///
/// Title and text are one field. Lucene's English analysis splits it into terms: standard tokenizer,
/// possessive `'s`, lower case, 33 stop words, Porter's stemmer. BM25 has k1 = 0.9, b = 0.4 (Robertson
/// and Zaragoza 2009; the values are Anserini's). A query is a bag of words: any may match, repeated
/// words count again, there is no query syntax.
final class Words {
    static final Similarity SIMILARITY = new BM25Similarity(0.9f, 0.4f);

    /// Most distinct terms of a query that are searched for; Lucene allows no more.
    static final int MAX_TERMS = 1024;

    private static final String FIELD = "words";
    private static final FieldType TYPE = type();
    private static final Sort BEST_FIRST = new Sort(SortField.FIELD_SCORE, new SortField(Fields.ID, new Ids()));

    private Words() {}

    private static FieldType type() {
        FieldType type = new FieldType();
        type.setIndexOptions(IndexOptions.DOCS_AND_FREQS);
        type.freeze();
        return type;
    }

    /// A new analyzer, safe to share between threads; the caller closes it.
    static Analyzer analyzer() {
        return new EnglishAnalyzer();
    }

    /// The field of a document.
    static Field field(String text) {
        return new Field(FIELD, text, TYPE);
    }

    /// A searcher with these weights.
    static IndexSearcher searcher(IndexReader reader) {
        IndexSearcher searcher = new CancellableSearcher(reader);
        searcher.setSimilarity(SIMILARITY);
        return searcher;
    }

    /// Creates such searchers.
    ///
    /// @param check called with each state of the index before it is searched
    static SearcherFactory searcherFactory(Consumer<IndexReader> check) {
        return new SearcherFactory() {
            @Override
            public IndexSearcher newSearcher(IndexReader reader, @Nullable IndexReader previous) {
                check.accept(reader);
                return searcher(reader);
            }
        };
    }

    /// The query for a text's words. If a text has more than [#MAX_TERMS] distinct terms, only those
    /// with the highest weights count (frequency times inverse document frequency).
    ///
    /// @throws IOException if the index cannot be read
    static Query query(Analyzer analyzer, String text, IndexReader reader) throws IOException {
        List<Weighed> terms = new ArrayList<>();
        for (Map.Entry<String, Integer> entry : frequencies(analyzer, text).entrySet()) {
            terms.add(new Weighed(new Term(FIELD, entry.getKey()), entry.getValue(), 0));
        }
        if (terms.isEmpty()) {
            return new MatchNoDocsQuery("no words");
        }
        if (terms.size() > MAX_TERMS) {
            terms = heaviest(terms, reader);
        }
        BooleanQuery.Builder query = new BooleanQuery.Builder();
        for (Weighed term : terms) {
            query.add(new BoostQuery(new TermQuery(term.term), term.frequency), BooleanClause.Occur.SHOULD);
        }
        return query.build();
    }

    /// The query, for only those documents that a filter accepts; their scores stay the same.
    static Query among(Query words, Optional<Filter> filter) {
        if (filter.isEmpty()) {
            return words;
        }
        return new BooleanQuery.Builder()
                .add(new WholeQuery(words), BooleanClause.Occur.MUST)
                .add(FilterQuery.documents(filter.get()), BooleanClause.Occur.FILTER)
                .build();
    }

    /// The documents with the highest scores, best first; equal scores in the order of the ids, which are
    /// the column [Fields#ID], also at the limit.
    ///
    /// @param words a query of [#query] or [#among]
    /// @throws IOException if the index cannot be read
    static List<Scored> search(IndexSearcher searcher, Query words, int k) throws IOException {
        List<Scored> found = new ArrayList<>();
        for (ScoreDoc hit : searcher.search(words, k, BEST_FIRST).scoreDocs) {
            Object score = ((FieldDoc) hit).fields[0];
            found.add(new Scored(hit.doc, (Float) score));
        }
        return found;
    }

    /// Orders documents by their ids as [String#compareTo] does, which differs from the order of their bytes.
    private static final class Ids extends FieldComparatorSource {
        @Override
        public FieldComparator<?> newComparator(String field, int hits, Pruning pruning, boolean reversed) {
            return new FieldComparator.TermValComparator(hits, field, false) {
                @Override
                public int compareValues(BytesRef a, BytesRef b) {
                    return a == null || b == null
                            ? super.compareValues(a, b)
                            : a.utf8ToString().compareTo(b.utf8ToString());
                }
            };
        }
    }

    private record Weighed(Term term, int frequency, double weight) {}

    private static List<Weighed> heaviest(List<Weighed> terms, IndexReader reader) throws IOException {
        List<Weighed> weighed = new ArrayList<>();
        for (Weighed term : terms) {
            int documents = reader.docFreq(term.term);
            if (documents > 0) {
                double rarity = Math.log1p((reader.maxDoc() + 0.5) / documents);
                weighed.add(new Weighed(term.term, term.frequency, term.frequency * rarity));
            }
        }
        weighed.sort(Comparator.comparingDouble(Weighed::weight).reversed());
        return weighed.subList(0, Math.min(MAX_TERMS, weighed.size()));
    }

    /// BM25 scores of some documents, those without any of the words left out.
    ///
    /// @param words a query of [#query]
    /// @param numbers of the documents, ascending
    /// @throws IOException if the index cannot be read
    static Map<Integer, Float> scores(IndexSearcher searcher, Query words, int[] numbers) throws IOException {
        Map<Integer, Float> scores = new HashMap<>();
        Weight weight = searcher.createWeight(searcher.rewrite(words), ScoreMode.COMPLETE, 1);
        int i = 0;
        for (LeafReaderContext leaf : searcher.getIndexReader().leaves()) {
            int end = leaf.docBase + leaf.reader().maxDoc();
            Scorer scorer = i < numbers.length && numbers[i] < end ? weight.scorer(leaf) : null;
            for (; i < numbers.length && numbers[i] < end; i++) {
                int document = numbers[i] - leaf.docBase;
                if (scorer != null && scorer.docID() < document) {
                    scorer.iterator().advance(document);
                }
                if (scorer != null && scorer.docID() == document) {
                    scores.put(numbers[i], scorer.score());
                }
            }
        }
        return scores;
    }

    /// How much a term counts: more if fewer documents have it.
    static double rarity(String term, IndexReader reader) throws IOException {
        return rarity(new Term(FIELD, term), reader);
    }

    private static double rarity(Term term, IndexReader reader) throws IOException {
        return Math.log1p((reader.getDocCount(FIELD) + 0.5) / Math.max(1, reader.docFreq(term)));
    }

    /// How often a text has each term.
    static Map<String, Integer> frequencies(Analyzer analyzer, String text) throws IOException {
        Map<String, Integer> frequencies = new LinkedHashMap<>();
        try (TokenStream tokens = analyzer.tokenStream(FIELD, text)) {
            CharTermAttribute term = tokens.addAttribute(CharTermAttribute.class);
            tokens.reset();
            while (tokens.incrementToken()) {
                frequencies.merge(term.toString(), 1, Integer::sum);
            }
            tokens.end();
        }
        return frequencies;
    }
}
