package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.backend.cuda.ffi.CudaFailure;
import io.github.sgpt4j.backend.cuda.ffi.Driver;
import io.github.sgpt4j.backend.cuda.ffi.Streams;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.error.BackendException;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.function.Function;

/// Passes over single short texts as CUDA graphs, one for each number of tokens and kind of pass, if [#PROPERTY] is
/// `true`. The first such pass is computed in memory of its own, the second one is recorded and launched, later ones
/// are launched only.
///
/// The pass that was not used for longest gives way to a new one; all do if the device has no memory left. If a pass
/// cannot be recorded or launched, a notice says why, and all are computed as usual from then on. Runs under the
/// engine's lock.
final class Recordings implements AutoCloseable {
    /// System property: whether single short texts are computed by graphs.
    static final String PROPERTY = "sgpt4j.cuda.graphs";

    /// Queries are shorter, and up to here attention has one tile and pooling one slice.
    static final int MAX_TOKENS = 64;

    /// As many as there are numbers of tokens. All together then hold less than the activations of a usual batch.
    static final int MAX_RECORDINGS = 64;

    private record Key(int tokens, Object kind) {}

    private final CudaEngine engine;
    /// Last used last.
    private final LinkedHashMap<Key, Recording> recordings = new LinkedHashMap<>();
    private boolean on;
    private long launches;
    /// Records and runs nothing; 0 until it is needed.
    private long stream;

    /// @param possible whether nothing forbids graphs
    Recordings(CudaEngine engine, boolean possible) {
        this.engine = engine;
        on = possible && Boolean.getBoolean(PROPERTY);
    }

    /// Whether a batch is one short text.
    static boolean takes(PackedBatch packed) {
        return packed.segments() == 1 && packed.cachedTokens() == 0 && packed.tokens() <= MAX_TOKENS;
    }

    /// Starts a pass over a batch that [#takes] holds for, as [io.github.sgpt4j.backend.Backend#run]; empty if it is to
    /// be computed as usual.
    Optional<Download> run(PackedBatch packed, Object kind, Function<Batch, Download> pass) {
        if (!on) {
            return Optional.empty();
        }
        Key key = new Key(packed.tokens(), kind);
        // Not among those that are given up if memory runs out meanwhile.
        Recording known = recordings.remove(key);
        Recording recording = known == null ? new Recording(engine, packed) : known;
        try {
            Download started = known == null ? recording.compute(pass) : repeat(recording, packed, pass);
            recordings.put(key, recording);
            if (recordings.size() > MAX_RECORDINGS) {
                recordings.pollFirstEntry().getValue().close();
            }
            return Optional.of(started);
        } catch (BackendException e) {
            if (CudaFailure.statusOf(e).stream().anyMatch(Driver::isFinal)) {
                throw e;
            }
            recording.close();
            turnOff(e);
            return Optional.empty();
        } catch (RuntimeException | Error e) {
            recording.close();
            throw e;
        }
    }

    private Download repeat(Recording recording, PackedBatch packed, Function<Batch, Download> pass) {
        if (!recording.isRecorded()) {
            if (stream == 0) {
                stream = Streams.createStream();
            }
            recording.record(stream, pass);
        }
        Download started = recording.launch(packed.ids());
        launches++;
        return started;
    }

    private void turnOff(BackendException cause) {
        on = false;
        close();
        engine.notice("%s: CUDA graphs are not used any more, after %s".formatted(engine.name(), cause.getMessage()));
    }

    /// Gives back the memory of all but the pass under way; returns whether there was any. Launches that are queued
    /// still run.
    boolean giveUp() {
        boolean any = !recordings.isEmpty();
        recordings.values().forEach(Recording::close);
        recordings.clear();
        return any;
    }

    /// Launches of graphs so far.
    long launches() {
        return launches;
    }

    /// Number of passes that are kept.
    int size() {
        return recordings.size();
    }

    @Override
    public void close() {
        giveUp();
        if (stream != 0) {
            Streams.destroyStream(stream);
            stream = 0;
        }
    }
}
