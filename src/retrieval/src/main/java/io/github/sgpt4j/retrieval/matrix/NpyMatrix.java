package io.github.sgpt4j.retrieval.matrix;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.retrieval.corpus.LineReader;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/// Embeddings of a `.npy` file with the ids of their texts: those of the file beside it, `FILE.ids`
/// (one per line), or the numbers of the rows, from 1, if there is no such file.
///
/// @param ids one per row
/// @param vectors `[rows][columns]`, finite
public record NpyMatrix(List<String> ids, float[][] vectors) {
    /// What is added to a file's name for its ids.
    public static final String IDS = ".ids";

    private static final String SUFFIX = ".npy";
    private static final int BUFFER_BYTES = 1 << 16;

    public NpyMatrix {
        ids = List.copyOf(ids);
    }

    /// Whether a file's name says that it is a matrix.
    public static boolean isNamed(String file) {
        return file.toLowerCase(Locale.ROOT).endsWith(SUFFIX);
    }

    /// The file of the ids of a matrix.
    public static Path idsOf(Path file) {
        return file.resolveSibling(file.getFileName() + IDS);
    }

    /// Reads a file. Its size is compared with its header before memory is taken for it.
    ///
    /// @throws FormatException if it cannot be read, is no matrix of F16, F32 or F64, a number is not
    ///     finite, or the file of ids has another number of them; it names the row, from 1
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    public static NpyMatrix read(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new FormatException(
                    Files.exists(file) ? file + ": expected a regular file" : file + ": no such file or directory");
        }
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), BUFFER_BYTES)) {
            NpyHeader header = NpyHeader.read(file.toString(), in);
            header.requireSize(file.toString(), Files.size(file));
            List<String> ids = readIds(file, header.rows());
            float[][] vectors = new float[header.rows()][];
            for (int row = 0; row < vectors.length; row++) {
                Interrupts.check("reading " + file);
                byte[] bytes = in.readNBytes(header.rowBytes());
                if (bytes.length < header.rowBytes()) {
                    throw new FormatException("%s: row %d: the file ends in it".formatted(file, row + 1));
                }
                vectors[row] = header.decode(bytes);
                requireFinite(file, row + 1, vectors[row]);
            }
            return new NpyMatrix(ids, vectors);
        } catch (IOException e) {
            throw Unreadable.of(file, e);
        }
    }

    private static void requireFinite(Path file, int row, float[] vector) {
        for (int i = 0; i < vector.length; i++) {
            if (!Float.isFinite(vector[i])) {
                throw new FormatException("%s: row %d: component %d: expected a finite 32-bit number, got %s"
                        .formatted(file, row, i + 1, vector[i]));
            }
        }
    }

    private static List<String> readIds(Path file, int rows) throws IOException {
        Path beside = idsOf(file);
        if (!Files.exists(beside)) {
            return IntStream.rangeClosed(1, rows).mapToObj(Integer::toString).toList();
        }
        List<String> ids = new ArrayList<>();
        try (LineReader lines = new LineReader(Files.newInputStream(beside), beside.toString())) {
            Optional<String> id = lines.next();
            while (id.isPresent() && ids.size() <= rows) {
                ids.add(id.get());
                id = lines.next();
            }
        }
        if (ids.size() != rows) {
            throw new FormatException("%s: expected %d ids, one for each row of %s, got %s"
                    .formatted(beside, rows, file, ids.size() > rows ? "more" : ids.size()));
        }
        return ids;
    }
}
