package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.corpus.Metadata;
import java.io.IOException;
import java.util.Optional;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.StringHelper;

/// Checks that filters see the metadata that documents of one part of an index have.
///
/// All terms are read once, and hashes of those that lead to a document are added up for it: the sum
/// must be that of the terms of its metadata.
final class MetadataCheck {
    private final long[] sums;

    MetadataCheck(LeafReader part) throws IOException {
        Terms terms = part.terms(Fields.METADATA_TERMS);
        sums = new long[terms == null ? 0 : part.maxDoc()];
        if (terms == null) {
            return;
        }
        TermsEnum each = terms.iterator();
        PostingsEnum postings = null;
        for (BytesRef term = each.next(); term != null; term = each.next()) {
            long hash = hash(term);
            postings = each.postings(postings, PostingsEnum.NONE);
            while (postings.nextDoc() != DocIdSetIterator.NO_MORE_DOCS) {
                sums[postings.docID()] += hash;
            }
        }
    }

    private static long hash(BytesRef term) {
        return StringHelper.murmurhash3_x64_128(term)[0];
    }

    /// What is wrong with a document.
    ///
    /// @param number within the part
    /// @param hash what the index says about its metadata
    Optional<String> check(int number, Metadata metadata, BytesRef hash) {
        if (!ContentHash.isOf(hash, metadata)) {
            return Optional.of("its metadata differ from what was written");
        }
        long expected = MetadataTerms.of(metadata).stream()
                .mapToLong(MetadataCheck::hash)
                .sum();
        return (sums.length == 0 ? 0 : sums[number]) == expected
                ? Optional.empty()
                : Optional.of("filters see other metadata than it has");
    }
}
