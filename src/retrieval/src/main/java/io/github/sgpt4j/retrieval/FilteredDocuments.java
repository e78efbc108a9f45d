package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.retrieval.filter.ValueKind;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.FixedBitSet;
import org.jspecify.annotations.Nullable;

/// Finds the documents of one part of an index that a filter accepts, by the terms of [MetadataTerms].
final class FilteredDocuments {
    /// Terms between two checks for an interrupt.
    private static final int STEP = 1 << 12;

    private final int size;

    /// All terms of metadata; null if no document has any.
    private final @Nullable TermsEnum terms;

    private @Nullable PostingsEnum postings;

    private FilteredDocuments(LeafReader part) throws IOException {
        size = part.maxDoc();
        Terms all = part.terms(Fields.METADATA_TERMS);
        terms = all == null ? null : all.iterator();
    }

    /// A bit for each document, removed ones included.
    ///
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    static FixedBitSet in(LeafReader part, Filter filter) throws IOException {
        FixedBitSet found = new FilteredDocuments(part).find(filter);
        Rows.of(part).keepDocuments(found);
        return found;
    }

    /// A bit for each row of these documents, their other passages included.
    ///
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    static FixedBitSet rowsIn(LeafReader part, Filter filter) throws IOException {
        FixedBitSet found = in(part, filter);
        Rows.of(part).addPassages(found);
        return found;
    }

    /// All names of metadata, those of removed documents included.
    ///
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    static List<String> names(LeafReader part) throws IOException {
        List<String> names = new ArrayList<>();
        Terms all = part.terms(Fields.METADATA_TERMS);
        if (all != null) {
            TermsEnum terms = all.iterator();
            BytesRef term = terms.next();
            while (term != null) {
                Interrupts.check("reading names of metadata");
                String name = MetadataTerms.name(term);
                names.add(name);
                term = terms.seekCeil(MetadataTerms.endOfName(name)) == TermsEnum.SeekStatus.END ? null : terms.term();
            }
        }
        return names;
    }

    /// Whether a document that is not removed has a term from one to before another.
    ///
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    static boolean isAnyBetween(LeafReader part, BytesRef from, BytesRef to) throws IOException {
        Terms all = part.terms(Fields.METADATA_TERMS);
        if (all == null) {
            return false;
        }
        TermsEnum terms = all.iterator();
        BytesRef term = terms.seekCeil(from) == TermsEnum.SeekStatus.END ? null : terms.term();
        for (int i = 1; term != null && term.compareTo(to) < 0; i++) {
            if (isAnyPresent(terms.postings(null, PostingsEnum.NONE), part.getLiveDocs())) {
                return true;
            }
            term = terms.next();
            if (i % STEP == 0) {
                Interrupts.check("search");
            }
        }
        return false;
    }

    private static boolean isAnyPresent(PostingsEnum documents, @Nullable Bits present) throws IOException {
        int number = documents.nextDoc();
        while (present != null && number != DocIdSetIterator.NO_MORE_DOCS && !present.get(number)) {
            number = documents.nextDoc();
        }
        return number != DocIdSetIterator.NO_MORE_DOCS;
    }

    private FixedBitSet find(Filter filter) throws IOException {
        Interrupts.check("search");
        FixedBitSet found = new FixedBitSet(size);
        switch (filter) {
            case Filter.And(List<Filter> parts) -> {
                found.set(0, size);
                for (Filter part : parts) {
                    found.and(find(part));
                }
            }
            case Filter.Or(List<Filter> parts) -> {
                for (Filter part : parts) {
                    found.or(find(part));
                }
            }
            case Filter.Not(Filter part) -> {
                found.or(find(part));
                found.flip(0, size);
            }
            case Filter.Equal(String name, Object value) -> add(MetadataTerms.of(name, value), found);
            case Filter.In(String name, List<Object> values) -> {
                // In the order of the terms, so that each is near the one before.
                TreeSet<BytesRef> wanted = new TreeSet<>();
                values.forEach(value -> wanted.add(MetadataTerms.of(name, value)));
                for (BytesRef term : wanted) {
                    add(term, found);
                }
            }
            case Filter.Range(String name, Filter.Side side, Object bound) -> {
                BytesRef at = MetadataTerms.of(name, bound);
                BytesRef first = MetadataTerms.first(name, ValueKind.of(bound));
                BytesRef end = MetadataTerms.end(name, ValueKind.of(bound));
                switch (side) {
                    case GREATER -> addBetween(at, false, end, false, found);
                    case AT_LEAST -> addBetween(at, true, end, false, found);
                    case LESS -> addBetween(first, true, at, false, found);
                    case AT_MOST -> addBetween(first, true, at, true, found);
                }
            }
        }
        return found;
    }

    private void add(BytesRef term, FixedBitSet found) throws IOException {
        if (terms != null && terms.seekExact(term)) {
            addDocuments(terms, found);
        }
    }

    private void addBetween(BytesRef from, boolean withFrom, BytesRef to, boolean withTo, FixedBitSet found)
            throws IOException {
        if (terms == null || terms.seekCeil(from) == TermsEnum.SeekStatus.END) {
            return;
        }
        BytesRef term = !withFrom && terms.term().equals(from) ? terms.next() : terms.term();
        for (int i = 1; term != null && term.compareTo(to) < (withTo ? 1 : 0); i++) {
            addDocuments(terms, found);
            term = terms.next();
            if (i % STEP == 0) {
                Interrupts.check("search");
            }
        }
    }

    private void addDocuments(TermsEnum term, FixedBitSet found) throws IOException {
        postings = term.postings(postings, PostingsEnum.NONE);
        found.or(postings);
    }
}
