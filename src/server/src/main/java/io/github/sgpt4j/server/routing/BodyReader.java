package io.github.sgpt4j.server.routing;

import io.github.sgpt4j.server.http.Request;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.Semaphore;
import java.util.zip.GZIPInputStream;

/// Reads bodies of bounded length, and keeps all bodies together within a part of the memory.
final class BodyReader {
    /// What is read of a body that is too long, so that the client gets the answer and not a reset connection.
    private static final long MAX_DRAINED = 64L << 20;
    private static final int BLOCK = 1 << 16;
    /// Part of the heap that bodies may take up, with what is read from them.
    private static final int HEAP_PARTS = 8;

    private final int maxBytes;
    private final int blocks;
    /// A permit for each block of a body that is read or used.
    private final Semaphore room;

    BodyReader(int maxBytes) {
        this.maxBytes = maxBytes;
        long heap = Runtime.getRuntime().maxMemory() / HEAP_PARTS / BLOCK;
        blocks = (int) Math.min(Integer.MAX_VALUE, Math.max(heap, blocks(maxBytes)));
        room = new Semaphore(blocks);
    }

    private static int blocks(long bytes) {
        return Math.toIntExact((bytes + BLOCK - 1) / BLOCK);
    }

    /// A body in memory, which counts until it is closed.
    final class Held implements AutoCloseable {
        private final byte[] bytes;
        private final int permits;

        private Held(byte[] bytes, int permits) {
            this.bytes = bytes;
            this.permits = permits;
        }

        byte[] bytes() {
            return bytes;
        }

        @Override
        public void close() {
            room.release(permits);
        }
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
        InputStream plain = decompressed(request, body);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int permits = 0;
        try {
            byte[] block = new byte[BLOCK];
            int count = plain.readNBytes(block, 0, BLOCK);
            while (count > 0) {
                if (bytes.size() + count > maxBytes) {
                    drain(body, MAX_DRAINED);
                    throw tooLong();
                }
                if (!room.tryAcquire()) {
                    drain(body, MAX_DRAINED);
                    throw new ApiException(Problem.OVERLOADED, "the bodies of requests take up too much memory");
                }
                permits++;
                bytes.write(block, 0, count);
                count = plain.readNBytes(block, 0, BLOCK);
            }
            Held held = new Held(bytes.toByteArray(), permits);
            permits = 0;
            return held;
        } finally {
            room.release(permits);
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
            case "identity", "" -> body;
            case "gzip" -> gzip(body);
            default -> {
                drain(body, MAX_DRAINED);
                throw new ApiException(
                        Problem.MEDIA_TYPE, "Content-Encoding: expected gzip or none, got " + shown(encoding));
            }
        };
    }

    private static InputStream gzip(InputStream body) throws IOException {
        return new GzipBody(body);
    }

    private static String shown(String value) {
        return value.length() <= 40 ? value : value.substring(0, 40) + "…";
    }

    private static void drain(InputStream body, long max) throws IOException {
        byte[] block = new byte[BLOCK];
        long left = max;
        int count = body.read(block);
        while (count >= 0 && left > 0) {
            left -= count;
            count = body.read(block);
        }
    }

    /// Decompresses, and tells a broken stream from a client that is gone.
    private static final class GzipBody extends InputStream {
        private final InputStream source;
        private InputStream plain = nullInputStream();
        private boolean begun;

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
                if (!begun) {
                    plain = new GZIPInputStream(source, 1 << 13);
                    begun = true;
                }
                return plain.read(bytes, from, length);
            } catch (java.util.zip.ZipException | java.io.EOFException e) {
                throw new ApiException(Problem.INVALID_JSON, "the body is not gzip, or is cut off", e);
            }
        }
    }
}
