package io.github.sgpt4j.server.routing;

import io.github.sgpt4j.server.http.Request;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Excerpt;
import io.github.sgpt4j.server.problem.Problem;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/// Reads bodies of bounded length, and keeps all bodies together within a part of the memory.
final class BodyReader {
    /// What is read of a body that is too long, so that the client gets the answer and not a reset connection.
    private static final long MAX_DRAINED = 64L << 20;
    private static final int BLOCK = Room.BLOCK;
    /// Shown of the name of an encoding.
    private static final int MAX_ENCODING_LENGTH = 40;

    private final int maxBytes;
    /// For bodies that are read or used.
    private final Room room;

    /// @param room for all bodies together
    BodyReader(int maxBytes, Room room) {
        this.maxBytes = maxBytes;
        this.room = room;
    }

    /// A body in memory, or what was read from it, which counts until it is closed. Used by one thread at a time.
    final class Held implements AutoCloseable {
        private byte[] bytes;
        private int blocks;

        private Held(byte[] bytes, int blocks) {
            this.bytes = bytes;
            this.blocks = blocks;
        }

        byte[] bytes() {
            return bytes;
        }

        /// Forgets the bytes: what was read from them is in memory instead.
        ///
        /// @param size bytes that it takes up
        /// @throws ApiException if memory is short
        void become(long size) {
            bytes = new byte[0];
            int needed = room.blocks(size);
            if (needed > blocks && !room.take(needed - blocks)) {
                throw full();
            }
            room.give(Math.max(0, blocks - needed));
            blocks = needed;
        }

        @Override
        public void close() {
            room.give(blocks);
            blocks = 0;
        }
    }

    private static ApiException full() {
        return new ApiException(Problem.OVERLOADED, "the bodies of requests take up too much memory");
    }

    /// Reads a body whole.
    ///
    /// @throws ApiException if it is too long, is compressed in an unknown way, or memory is short
    /// @throws IOException if the client is gone
    Held read(Request request) throws IOException {
        OptionalLong declared = length(request);
        InputStream body = request.body();
        if (declared.isPresent() && declared.getAsLong() > maxBytes) {
            drain(body, MAX_DRAINED);
            throw tooLong();
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int blocks = 0;
        try (InputStream plain = decompressed(request, body)) {
            byte[] block = new byte[BLOCK];
            int count = plain.readNBytes(block, 0, BLOCK);
            while (count > 0) {
                if (bytes.size() + count > maxBytes) {
                    drain(body, MAX_DRAINED);
                    throw tooLong();
                }
                if (!room.take(1)) {
                    drain(body, MAX_DRAINED);
                    throw full();
                }
                blocks++;
                bytes.write(block, 0, count);
                // What has arrived, or is decompressed, can be read without waiting: others get the processor now.
                Thread.yield();
                count = plain.readNBytes(block, 0, BLOCK);
            }
            Held held = new Held(bytes.toByteArray(), blocks);
            blocks = 0;
            return held;
        } finally {
            room.give(blocks);
        }
    }

    private ApiException tooLong() {
        return new ApiException(
                Problem.TOO_LARGE, "the body is too long: expected at most %d bytes".formatted(maxBytes));
    }

    private static OptionalLong length(Request request) {
        try {
            return request.header("content-length")
                    .map(text -> OptionalLong.of(Long.parseLong(text)))
                    .orElse(OptionalLong.empty());
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }

    private static InputStream decompressed(Request request, InputStream body) throws IOException {
        String encoding = request.header("content-encoding").orElse("identity").toLowerCase(Locale.ROOT);
        return switch (encoding) {
            case "identity", "" -> new Unclosed(body);
            case "gzip" -> new GzipBody(body);
            default -> {
                drain(body, MAX_DRAINED);
                throw new ApiException(
                        Problem.MEDIA_TYPE,
                        "Content-Encoding: expected gzip or none, got " + Excerpt.of(encoding, MAX_ENCODING_LENGTH));
            }
        };
    }

    private static void drain(InputStream body, long max) throws IOException {
        byte[] block = new byte[BLOCK];
        long left = max;
        while (left > 0) {
            int count = body.read(block, 0, (int) Math.min(BLOCK, left));
            if (count < 0) {
                return;
            }
            left -= count;
        }
    }

    /// A body whose connection stays usable when it is closed.
    private static final class Unclosed extends FilterInputStream {
        Unclosed(InputStream body) {
            super(body);
        }

        @Override
        public void close() {
            // The transport closes the body, after the answer.
        }
    }

    /// Decompresses, and tells a broken stream from a client that is gone. Closing it leaves the source open.
    private static final class GzipBody extends InputStream {
        private final InputStream source;
        private @Nullable Gzip plain;

        GzipBody(InputStream source) {
            this.source = source;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            try {
                Gzip open = plain;
                if (open == null) {
                    open = new Gzip(source);
                    plain = open;
                }
                return open.read(bytes, from, length);
            } catch (ZipException | EOFException e) {
                throw new ApiException(Problem.INVALID_JSON, "the body is not gzip, or is cut off", e);
            }
        }

        @Override
        public void close() {
            if (plain != null) {
                plain.end();
            }
        }
    }

    /// A decompressor whose memory outside the heap can be given back.
    private static final class Gzip extends GZIPInputStream {
        Gzip(InputStream source) throws IOException {
            super(new Unclosed(source), 1 << 13);
        }

        void end() {
            inf.end();
        }
    }
}
