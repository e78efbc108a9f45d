package io.github.sgpt4j.training.data;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// Texts with a teacher's embeddings, to distil it: a file of texts ([TextLines]) whose rows have embeddings, or whose
/// embeddings are in a `.npy` file beside, row by row. Takes 12 bytes of memory per text, and 4 per row of `.npy`.
public final class TeacherSource implements TrainingSource<TaughtText> {
    private final LineFile lines;
    private final TextLines format;
    private final Optional<NpyFile> matrix;
    private final int dimension;

    private TeacherSource(LineFile lines, TextLines format, Optional<NpyFile> matrix, int dimension) {
        this.lines = lines;
        this.format = format;
        this.matrix = matrix;
        this.dimension = dimension;
    }

    /// Reads and checks all files once.
    ///
    /// @param embeddings a `.npy` file, unless the rows have them
    /// @throws FormatException at the first problem; it names file and row
    /// @throws IOException if a file cannot be closed
    static TeacherSource open(Path texts, Optional<Path> embeddings) throws IOException {
        TextLines format = TextLines.of(texts);
        Optional<NpyFile> matrix = embeddings.map(NpyFile::open);
        try {
            Check check = new Check(format, matrix);
            LineFile lines = LineFile.open(texts, check);
            if (matrix.isPresent() && matrix.get().rows() != lines.count()) {
                int count = lines.count();
                lines.close();
                throw new FormatException("%s: expected a row for each of the %d texts of %s, got %d"
                        .formatted(
                                matrix.get().file(), count, texts, matrix.get().rows()));
            }
            return new TeacherSource(lines, format, matrix, check.dimension);
        } catch (RuntimeException | Error e) {
            if (matrix.isPresent()) {
                matrix.get().close();
            }
            throw e;
        }
    }

    /// Checks every line while the file is opened.
    private static final class Check implements LineFile.Visitor {
        private final TextLines format;
        private final Optional<NpyFile> matrix;
        private int dimension;
        private String firstRow = "";

        Check(TextLines format, Optional<NpyFile> matrix) {
            this.format = format;
            this.matrix = matrix;
            dimension = matrix.map(NpyFile::columns).orElse(0);
        }

        @Override
        public boolean visit(Supplier<String> place, String line) {
            if (format.isSkipped(line)) {
                return false;
            }
            String where = place.get();
            Optional<float[]> embedding = format.parse(where, line).embedding();
            if (matrix.isPresent()) {
                if (embedding.isPresent()) {
                    throw new FormatException("%s: expected no \"embedding\" beside those of %s, found one"
                            .formatted(where, matrix.get().file()));
                }
                return true;
            }
            int components = embedding.orElseThrow(
                            () -> new FormatException(where + ": expected \"embedding\", found none"))
                    .length;
            if (firstRow.isEmpty()) {
                firstRow = where;
                dimension = components;
            }
            if (components != dimension) {
                throw new FormatException("%s: \"embedding\": expected %d numbers as in the first row (%s), got %d"
                        .formatted(where, dimension, firstRow, components));
            }
            return true;
        }
    }

    /// Number of components of the teacher's embeddings.
    public int dimension() {
        return dimension;
    }

    @Override
    public String name() {
        return lines.file().toString();
    }

    @Override
    public int rows() {
        return lines.count();
    }

    @Override
    public TaughtText row(int row, long pass) {
        TextLines.Line line = format.parse(name(), lines.line(row));
        float[] teacher = matrix.isPresent()
                ? matrix.get().row(row)
                : line.embedding()
                        .orElseThrow(() -> new FormatException(name() + ": expected \"embedding\", found none"));
        return new TaughtText(line.text(), teacher);
    }

    @Override
    public List<DataFile> files() {
        return matrix.isPresent() ? List.of(lines.content(), matrix.get().content()) : List.of(lines.content());
    }

    @Override
    public List<String> notices() {
        return List.of();
    }

    /// The files say everything.
    @Override
    public Map<String, String> settings() {
        return Map.of();
    }

    @Override
    public void close() throws IOException {
        try (lines) {
            if (matrix.isPresent()) {
                matrix.get().close();
            }
        }
    }
}
