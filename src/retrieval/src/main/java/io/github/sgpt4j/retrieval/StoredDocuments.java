package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.retrieval.filter.ValueKind;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import io.github.sgpt4j.retrieval.passage.TextRange;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.Sort;
import org.apache.lucene.search.TermQuery;

/// Gives documents back as they were added, from one state of an index.
///
/// @param searcher over that state
record StoredDocuments(IndexSearcher searcher) {
    /// Documents whose ids are held at a time.
    private static final int BLOCK = 4096;

    /// Ids by numbers.
    ///
    /// @param numbers ascending
    Map<Integer, String> ids(int[] numbers) throws IOException {
        Map<Integer, String> ids = new HashMap<>();
        int i = 0;
        for (LeafReaderContext leaf : searcher.getIndexReader().leaves()) {
            int end = leaf.docBase + leaf.reader().maxDoc();
            BinaryDocValues values = leaf.reader().getBinaryDocValues(Fields.ID);
            for (; i < numbers.length && numbers[i] < end; i++) {
                if (values != null && values.advanceExact(numbers[i] - leaf.docBase)) {
                    ids.put(numbers[i], values.binaryValue().utf8ToString());
                }
            }
        }
        return ids;
    }

    /// Those of some documents that have the first ids.
    ///
    /// @param numbers ascending
    /// @param limit at most this many, at least 1
    /// @return in the order of the ids
    List<Integer> withFirstIds(int[] numbers, int limit) throws IOException {
        PriorityQueue<Named> lastFirst = new PriorityQueue<>(Named.BY_ID.reversed());
        for (int i = 0; i < numbers.length; i += BLOCK) {
            Interrupts.check("search");
            ids(Arrays.copyOfRange(numbers, i, Math.min(i + BLOCK, numbers.length)))
                    .forEach((number, id) -> {
                        lastFirst.add(new Named(id, number));
                        if (lastFirst.size() > limit) {
                            lastFirst.remove();
                        }
                    });
        }
        return lastFirst.stream().sorted(Named.BY_ID).map(Named::number).toList();
    }

    /// A document's id with its number, which tells documents of one id in several shards apart.
    private record Named(String id, int number) {
        static final Comparator<Named> BY_ID = Comparator.comparing(Named::id).thenComparing(Named::number);
    }

    /// A document and the places of its passages in its text.
    record Split(Document document, List<TextRange> ranges) {}

    /// Documents by numbers.
    ///
    /// @param numbers ascending
    /// @return as many, in the same order
    List<Document> documents(int[] numbers) throws IOException {
        return split(numbers).stream().map(Split::document).toList();
    }

    /// Documents with their passages, by numbers.
    ///
    /// @param numbers ascending
    /// @return as many, in the same order
    List<Split> split(int[] numbers) throws IOException {
        Map<Integer, String> ids = ids(numbers);
        StoredFields fields = searcher.storedFields();
        List<Split> documents = new ArrayList<>();
        for (int number : numbers) {
            Interrupts.check("reading documents");
            String id = ids.getOrDefault(number, "");
            var stored = fields.document(number, Fields.STORED);
            documents.add(new Split(Fields.document(id, stored), Fields.ranges(id, stored)));
        }
        return documents;
    }

    /// Refuses a document that says it has other passages than it has rows.
    static void requirePassages(String id, List<TextRange> ranges, int rows) throws DamagedDocumentException {
        if (ranges.size() != rows) {
            throw new DamagedDocumentException(
                    "document %s: expected the places of %,d passages, found %,d".formatted(id, rows, ranges.size()));
        }
    }

    /// Those of some ids that exist, in the order of the ids.
    List<Document> documents(Collection<String> ids) throws IOException {
        Lookup lookup = new Lookup(searcher.getIndexReader());
        StoredFields stored = searcher.storedFields();
        List<Document> documents = new ArrayList<>();
        for (String id : new LinkedHashSet<>(ids)) {
            Interrupts.check("reading documents");
            Optional<Lookup.Place> place = lookup.find(id);
            if (place.isPresent()) {
                documents.add(Fields.document(id, stored.document(place.get().number(), Fields.STORED)));
            }
        }
        return documents;
    }

    /// The first that a filter accepts.
    ///
    /// @param limit at most this many, at least 1
    List<Document> documents(Filter filter, int limit) throws IOException {
        int possible = Math.clamp(searcher.getIndexReader().maxDoc(), 1, limit);
        ScoreDoc[] found = searcher.search(FilterQuery.documents(filter), possible, Sort.INDEXORDER).scoreDocs;
        return documents(Arrays.stream(found).mapToInt(hit -> hit.doc).sorted().toArray());
    }

    /// How many documents have each name.
    SortedMap<String, Integer> names() throws IOException {
        SortedMap<String, Integer> names = new TreeMap<>();
        for (LeafReaderContext leaf : searcher.getIndexReader().leaves()) {
            for (String name : FilteredDocuments.names(leaf.reader())) {
                if (!names.containsKey(name)) {
                    names.put(name, searcher.count(nameQuery(name)));
                }
            }
        }
        names.values().removeIf(count -> count == 0);
        return names;
    }

    private static TermQuery nameQuery(String name) {
        return new TermQuery(new Term(Fields.METADATA_TERMS, MetadataTerms.ofName(name)));
    }

    /// The kinds of the values that documents have of a name.
    Set<ValueKind> kinds(String name) throws IOException {
        EnumSet<ValueKind> kinds = EnumSet.noneOf(ValueKind.class);
        for (LeafReaderContext leaf : searcher.getIndexReader().leaves()) {
            for (ValueKind kind : EnumSet.complementOf(kinds)) {
                if (FilteredDocuments.isAnyBetween(
                        leaf.reader(), MetadataTerms.first(name, kind), MetadataTerms.end(name, kind))) {
                    kinds.add(kind);
                }
            }
        }
        return kinds;
    }

    /// Those of some names that no document has.
    Set<String> absent(Set<String> names) throws IOException {
        Set<String> absent = new TreeSet<>();
        for (String name : names) {
            if (searcher.count(nameQuery(name)) == 0) {
                absent.add(name);
            }
        }
        return absent;
    }
}
