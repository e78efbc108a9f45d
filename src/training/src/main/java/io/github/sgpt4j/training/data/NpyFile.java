package io.github.sgpt4j.training.data;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import io.github.sgpt4j.retrieval.matrix.NpyHeader;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.CRC32C;

/// Embeddings in a `.npy` file, one per row, read in any order. The file is read once to check it; then 4 bytes per row
/// are kept in memory, and rows are read when they are asked for.
///
/// Safe to use from several threads.
final class NpyFile implements Closeable {
    private static final int BUFFER_BYTES = 1 << 16;

    private final Path file;
    private final NpyHeader header;
    private final DataFile content;
    private final IntList checks;
    private final RandomAccessFile bytes;

    private NpyFile(Path file, NpyHeader header, DataFile content, IntList checks, RandomAccessFile bytes) {
        this.file = file;
        this.header = header;
        this.content = content;
        this.checks = checks;
        this.bytes = bytes;
    }

    /// Reads a file once.
    ///
    /// @throws FormatException if it cannot be read, is no matrix of F16, F32 or F64, or a row is no embedding; it
    ///     names the row, from 1
    static NpyFile open(Path file) {
        if (!file.toString().toLowerCase(Locale.ROOT).endsWith(".npy")) {
            throw new FormatException(file + ": expected a name ending in .npy");
        }
        LineFile.checkRegular(file);
        try (InputStream raw = Files.newInputStream(file);
                CopiedStream hashed = CopiedStream.of(new BufferedInputStream(raw, BUFFER_BYTES), Optional.empty())) {
            NpyHeader header = NpyHeader.read(file.toString(), hashed);
            header.requireSize(file.toString(), Files.size(file));
            IntList checks = new IntList();
            for (int row = 0; row < header.rows(); row++) {
                Interrupts.check("reading " + file);
                byte[] read = hashed.readNBytes(header.rowBytes());
                if (read.length < header.rowBytes()) {
                    throw new FormatException("%s: row %d: the file ends in it".formatted(file, row + 1));
                }
                int number = row + 1;
                Embeddings.checked(() -> "%s: row %d".formatted(file, number), header.decode(read));
                checks.add(check(read));
            }
            DataFile content = new DataFile(LineFile.plainName(file), header.fileBytes(), hashed.finish());
            return new NpyFile(file, header, content, checks, new RandomAccessFile(file.toFile(), "r"));
        } catch (IOException e) {
            throw Unreadable.of(file, e);
        }
    }

    private static int check(byte[] row) {
        CRC32C sum = new CRC32C();
        sum.update(row);
        return (int) sum.getValue();
    }

    Path file() {
        return file;
    }

    DataFile content() {
        return content;
    }

    int rows() {
        return header.rows();
    }

    int columns() {
        return header.columns();
    }

    /// A row.
    ///
    /// @param index from 0
    /// @throws FormatException if it was changed or cannot be read
    float[] row(int index) {
        byte[] read = new byte[header.rowBytes()];
        try {
            synchronized (bytes) {
                bytes.seek(header.bytes() + (long) index * header.rowBytes());
                bytes.readFully(read);
            }
        } catch (EOFException e) {
            throw new FormatException(changed(index), e);
        } catch (IOException e) {
            throw Unreadable.of(file, e);
        }
        if (check(read) != checks.get(index)) {
            throw new FormatException(changed(index));
        }
        return header.decode(read);
    }

    private String changed(int index) {
        return "%s: row %d: expected the numbers that were there when the file was opened, the file was changed"
                .formatted(file, index + 1);
    }

    @Override
    public void close() throws IOException {
        bytes.close();
    }
}
