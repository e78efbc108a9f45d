package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.corpus.CorpusReader;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.LongStream;

/// Checks before a search that its run can be written.
final class RunIds {
    private RunIds() {}

    /// @throws FormatException if an id cannot be written, or a document's id occurs twice
    static void require(BeirDataset dataset) throws IOException {
        for (String query : dataset.queries().keySet()) {
            requireField(dataset, query, "query");
        }
        long[] hashes = hashes(dataset);
        Arrays.sort(hashes);
        Set<Long> several = new HashSet<>();
        for (int i = 1; i < hashes.length; i++) {
            if (hashes[i] == hashes[i - 1]) {
                several.add(hashes[i]);
            }
        }
        if (!several.isEmpty()) {
            requireDifferent(dataset, several);
        }
    }

    private static void requireField(BeirDataset dataset, String id, String what) {
        try {
            Run.requireField(id, what);
        } catch (FormatException e) {
            throw new FormatException("%s: %s".formatted(dataset.directory(), e.getMessage()), e);
        }
    }

    /// Hashes of all document ids.
    private static long[] hashes(BeirDataset dataset) throws IOException {
        LongStream.Builder hashes = LongStream.builder();
        try (CorpusReader documents = dataset.corpus()) {
            while (documents.hasNext()) {
                String id = documents.next().id();
                requireField(dataset, id, "document");
                hashes.add(hash(id));
            }
        }
        return hashes.build().toArray();
    }

    private static long hash(String id) {
        return TextKey.of(id).high();
    }

    /// Compares the ids themselves, since different ids may share a hash.
    private static void requireDifferent(BeirDataset dataset, Set<Long> hashes) throws IOException {
        Set<String> seen = new HashSet<>();
        try (CorpusReader documents = dataset.corpus()) {
            while (documents.hasNext()) {
                String id = documents.next().id();
                if (hashes.contains(hash(id)) && !seen.add(id)) {
                    throw new FormatException("%s: expected each document's id once in the corpus, found %s twice"
                            .formatted(dataset.directory(), ShownText.quoted(id)));
                }
            }
        }
    }
}
