package io.github.sgpt4j.inference;

import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.PackedBatchBuilder;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.model.CachedPrefix;
import io.github.sgpt4j.model.Decoder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Requests that go through the decoder together. Requests with the same context share its tokens: the context is one
/// segment, their queries are its children.
public final class ScoringBatch {
    private final int cached;
    private final PackedBatchBuilder builder = new PackedBatchBuilder();
    private final List<Integer> members = new ArrayList<>();
    private final List<int[]> rows = new ArrayList<>();
    private final List<int[]> targets = new ArrayList<>();
    private int[] sharedContext = new int[0];
    private int sharedSegment = PackedBatch.NO_PARENT;
    private int sharedLastRow;

    /// @param cached number of first tokens that all requests share and that are computed separately,
    ///     or 0
    ScoringBatch(int cached) {
        this.cached = cached;
        if (cached > 0) {
            builder.addCached(cached);
        }
    }

    /// Tokens to be computed.
    int tokens() {
        return builder.tokens();
    }

    private boolean sharesContext(ScoringRequest request) {
        int context = request.scoredFrom() + 1;
        return sharedContext.length == context && Arrays.equals(sharedContext, 0, context, request.input(), 0, context);
    }

    /// Adds request number `index`; requests with the same context should be adjacent.
    void add(int index, ScoringRequest request) {
        int[] input = request.input();
        int context = request.scoredFrom() + 1;
        if (!sharesContext(request)) {
            sharedSegment = builder.add(input, cached, context, cached > 0 ? 0 : PackedBatch.NO_PARENT);
            sharedContext = Arrays.copyOf(input, context);
            sharedLastRow = builder.tokens() - 1;
        }
        int first = builder.tokens();
        if (context < input.length) {
            builder.add(input, context, input.length, sharedSegment);
        }
        int[] scored = new int[request.targets().length];
        for (int i = 0; i < scored.length; i++) {
            scored[i] = i == 0 ? sharedLastRow : first + i - 1;
        }
        members.add(index);
        rows.add(scored);
        targets.add(request.targets());
    }

    /// Starts computing the log-probabilities of every request's targets.
    ///
    /// @param prefix the states of the cached tokens, on the decoder's device
    /// @param vocabulary as for [Decoder#startLogProbabilities]
    /// @param cancellation of the call
    Download start(Decoder decoder, Optional<CachedPrefix> prefix, int vocabulary, Cancellation cancellation) {
        return decoder.startLogProbabilities(
                builder.build(), prefix, flatten(rows), flatten(targets), vocabulary, cancellation);
    }

    /// Stores every request's log-probabilities at the request's index in `results`.
    void keep(float[] flat, float[][] results) {
        int at = 0;
        for (int m = 0; m < members.size(); m++) {
            int n = targets.get(m).length;
            results[members.get(m)] = Arrays.copyOfRange(flat, at, at + n);
            at += n;
        }
    }

    int size() {
        return members.size();
    }

    private static int[] flatten(List<int[]> parts) {
        return parts.stream().flatMapToInt(Arrays::stream).toArray();
    }
}
