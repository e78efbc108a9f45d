package io.github.sgpt4j.weightstools.hub;

import io.github.sgpt4j.weightstools.FileFailures;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Downloads the content of one file into a blob. Partial content is kept beside the blob until length
/// and hash are right, so that a later run can resume.
final class BlobDownload implements AutoCloseable {
    /// The Python client also treats such files as interrupted downloads, and removes them when asked
    /// to clean up.
    private static final String SUFFIX = ".sgpt4j.incomplete";

    private static final int CHUNK = 1 << 18;

    /// An attempt that receives this many bytes counts as useful.
    private static final long USEFUL = 1 << 20;

    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18}|\\*)");

    private final HubClient client;
    private final RemoteFile file;
    private final String commit;
    private final String what;
    private final Path blob;
    private final Path partial;
    private final Retries.Count failures;
    private final TransferProgress progress;
    private final FileChannel out;
    private @Nullable BlobHash hash;
    private long position;
    private long furthest;

    /// @param what names the file in messages
    /// @param blob where the content goes
    BlobDownload(
            HubClient client,
            RemoteFile file,
            String commit,
            String what,
            Path blob,
            Retries retries,
            TransferProgress progress)
            throws IOException {
        this.client = client;
        this.file = file;
        this.commit = commit;
        this.what = what;
        this.blob = blob;
        this.partial = partial(blob);
        this.failures = retries.new Count(progress);
        this.progress = progress;
        this.out =
                FileChannel.open(partial, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    private static Path partial(Path blob) {
        return blob.resolveSibling(blob.getFileName() + SUFFIX);
    }

    /// Bytes left by an earlier run.
    static long partialBytes(Path blob) throws IOException {
        return Files.exists(partial(blob)) ? Files.size(partial(blob)) : 0;
    }

    /// Downloads the missing bytes, and checks the whole file.
    ///
    /// @throws HubException if the hub refuses, or sends wrong content twice
    void run() throws IOException {
        resume();
        boolean again = false;
        while (true) {
            Optional<String> wrong = transfer();
            if (wrong.isEmpty()) {
                break;
            }
            reset();
            if (again) {
                Files.deleteIfExists(partial);
                throw new HubException("%s: %s".formatted(what, wrong.get()));
            }
            again = true;
            progress.notice("%s: %s; downloading it again".formatted(what, wrong.get()));
        }
        if (file.bytes() >= USEFUL) {
            // After a power failure a file whose data was not written is noticed if it is too short;
            // one of full length might not be.
            out.force(true);
        }
        out.close();
        Files.move(partial, blob, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        progress.fetched(file.path(), file.bytes());
    }

    /// Resumes where an earlier run stopped.
    private void resume() throws IOException {
        hash = BlobHash.of(file).orElse(null);
        if (out.size() > file.bytes() || out.size() > 0 && hash == null) {
            out.truncate(0);
        }
        ByteBuffer buffer = ByteBuffer.allocate(CHUNK);
        while (out.read(buffer) >= 0) {
            accept(buffer);
        }
        furthest = position;
    }

    /// Starts from the beginning.
    private void reset() throws IOException {
        out.truncate(0);
        progress.add(-position);
        position = 0;
        hash = BlobHash.of(file).orElse(null);
    }

    /// Counts and hashes the buffer's bytes, and clears it.
    private void accept(ByteBuffer buffer) {
        buffer.flip();
        position += buffer.remaining();
        progress.add(buffer.remaining());
        if (hash != null) {
            hash.update(buffer);
        }
        buffer.clear();
    }

    /// @return the problem with the content; empty if there is none
    private Optional<String> transfer() throws IOException {
        while (position < file.bytes()) {
            try {
                if (!receive()) {
                    return Optional.of("expected %d bytes, got more".formatted(file.bytes()));
                }
                if (position < file.bytes()) {
                    throw new TransientException(
                            "%s: expected %d bytes, got only %d".formatted(what, file.bytes(), position));
                }
            } catch (TransientException e) {
                // Bytes received before do not count: a server might send the same ones forever.
                if (position - furthest >= USEFUL && !e.isSlow()) {
                    failures.reset();
                }
                furthest = Math.max(furthest, position);
                failures.failed(e);
            }
        }
        return hash == null ? Optional.empty() : hash.mismatch();
    }

    /// Requests the missing bytes, and stores what is received.
    ///
    /// @return false if the server sends too many bytes
    private boolean receive() throws IOException {
        Map<String, String> headers = position > 0 ? Map.of("Range", "bytes=%d-".formatted(position)) : Map.of();
        HttpResponse<BodyStream> response = client.get(client.file(commit, file.path()), what, headers);
        try (BodyStream body = response.body()) {
            place(response);
            byte[] bytes = new byte[CHUNK];
            for (int count = read(body, bytes); count >= 0; count = read(body, bytes)) {
                if (count > file.bytes() - position) {
                    return false;
                }
                ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, count);
                write(buffer);
                accept(buffer);
            }
            return true;
        }
    }

    private void write(ByteBuffer buffer) throws IOException {
        try {
            while (buffer.hasRemaining()) {
                out.write(buffer);
            }
        } catch (IOException e) {
            throw FileFailures.named(partial, e);
        }
    }

    private int read(BodyStream body, byte[] bytes) throws IOException {
        try {
            return body.read(bytes, 0, bytes.length);
        } catch (TransientException e) {
            throw e.explained("%s: after %d of %d bytes %s".formatted(what, position, file.bytes(), e.getMessage()));
        }
    }

    /// Finds out which position in the file the body starts at.
    private void place(HttpResponse<BodyStream> response) throws IOException {
        if (response.statusCode() == 206) {
            String range = response.headers().firstValue("Content-Range").orElse("");
            Matcher matcher = CONTENT_RANGE.matcher(range);
            boolean right = matcher.matches()
                    && Long.parseLong(matcher.group(1)) == position
                    && (matcher.group(3).equals("*") || Long.parseLong(matcher.group(3)) == file.bytes());
            if (!right) {
                long from = position;
                reset();
                throw new TransientException(
                        "%s: expected bytes from %d of %d, got another range".formatted(what, from, file.bytes()));
            }
        } else if (position > 0) {
            // The server ignores ranges, or has nothing at this position.
            reset();
            if (response.statusCode() == 416) {
                throw new TransientException(
                        "%s: expected %d bytes, but the server has fewer".formatted(what, file.bytes()));
            }
        }
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
