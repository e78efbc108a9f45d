package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.retrieval.ScoredId;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.lucene.util.VectorUtil;

/// Finds the nearest documents of many queries in one pass over the documents: they come block by block
/// and are dropped; only each query's best are kept.
final class ExactSearch {
    /// Documents multiplied together: a block's vectors stay in the processor's cache for all queries.
    private static final int BLOCK = 64;

    private final List<String> queryIds;
    private final float[][] queries;
    private final Similarity similarity;
    private final boolean skipIdentical;
    private final List<TopDocuments> best;

    /// @param vectors `[queries][dimension]`
    /// @param similarity how documents are ordered
    /// @param depth documents to find per query
    /// @param skipIdentical skip documents whose id equals the query's
    ExactSearch(List<String> queryIds, float[][] vectors, Similarity similarity, int depth, boolean skipIdentical) {
        this.queryIds = List.copyOf(queryIds);
        this.similarity = similarity;
        this.queries = Arrays.stream(vectors).map(similarity::prepare).toArray(float[][]::new);
        this.skipIdentical = skipIdentical;
        best = queryIds.stream().map(id -> new TopDocuments(depth)).toList();
    }

    /// Compares documents with all queries.
    ///
    /// @param vectors `[documents][dimension]`
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    void add(List<String> ids, float[][] vectors) {
        add(ids, IntStream.rangeClosed(1, vectors.length).toArray(), vectors);
    }

    /// Compares documents of several passages with all queries; the nearest passage counts.
    ///
    /// @param ends for each document the place after its last vector
    /// @param vectors `[passages][dimension]`, those of a document together, in the order of the documents
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    void add(List<String> ids, int[] ends, float[][] vectors) {
        int from = 0;
        int row = 0;
        while (from < ends.length) {
            Interrupts.check("search");
            int first = row;
            int to = from;
            while (to < ends.length && (to == from || ends[to] - first <= BLOCK)) {
                to++;
            }
            row = ends[to - 1];
            float[][] block = new float[row - first][];
            for (int i = first; i < row; i++) {
                block[i - first] = similarity.prepare(vectors[i]);
            }
            List<String> blockIds = ids.subList(from, to);
            int[] blockEnds =
                    Arrays.stream(ends, from, to).map(end -> end - first).toArray();
            IntStream.range(0, queries.length).parallel().forEach(query -> compare(query, blockIds, blockEnds, block));
            from = to;
        }
    }

    private void compare(int query, List<String> ids, int[] ends, float[][] block) {
        TopDocuments top = best.get(query);
        String own = queryIds.get(query);
        int row = 0;
        for (int i = 0; i < ends.length; i++) {
            float score = score(queries[query], block[row]);
            for (row++; row < ends[i]; row++) {
                score = Math.max(score, score(queries[query], block[row]));
            }
            if (!(skipIdentical && ids.get(i).equals(own))) {
                top.offer(ids.get(i), score);
            }
        }
    }

    private float score(float[] query, float[] document) {
        return switch (similarity) {
            case COSINE, DOT -> VectorUtil.dotProduct(query, document);
            case EUCLIDEAN -> (float) (0 - Math.sqrt(VectorUtil.squareDistance(query, document)));
            case MANHATTAN -> similarity.ofPrepared(query, document);
        };
    }

    /// Best documents by query.
    Map<String, List<ScoredId>> results() {
        Map<String, List<ScoredId>> results = new LinkedHashMap<>();
        for (int i = 0; i < queries.length; i++) {
            results.put(queryIds.get(i), new ArrayList<>(best.get(i).list()));
        }
        return results;
    }
}
