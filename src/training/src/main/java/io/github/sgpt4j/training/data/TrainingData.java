package io.github.sgpt4j.training.data;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/// Opens training data.
public final class TrainingData {
    private TrainingData() {}

    /// Reads and checks all files once. The caller closes the source.
    ///
    /// @param data a file or a folder
    /// @throws FormatException at the first problem; it names file and line
    public static TripleSource open(Path data, DataForm form, DataOptions options) {
        return switch (form) {
            case ROWS -> RowSource.open(data, options);
            case MSMARCO -> MsMarcoSource.open(data, options);
            case NLI -> NliSource.open(data, options);
            case AUTO -> open(data, detect(data), options);
        };
    }

    /// Reads and checks texts with a teacher's embeddings. The caller closes the source.
    ///
    /// @param texts a file that `sgpt embed` reads: `.txt`, or `.jsonl` with `text`, `title` and
    ///     `embedding`; or either with `.gz`
    /// @param embeddings a `.npy` file with a row for each text, unless the rows have them
    /// @throws FormatException at the first problem; it names file and row
    /// @throws IOException if a file cannot be closed
    public static TeacherSource openTaught(Path texts, Optional<Path> embeddings) throws IOException {
        return TeacherSource.open(texts, embeddings);
    }

    /// The form that [DataForm#AUTO] stands for.
    ///
    /// @param data a file or a folder
    /// @throws FormatException if its name tells none, or the first line of a file that is needed cannot be read
    public static DataForm detect(Path data) {
        if (Files.isDirectory(data)) {
            return DataForm.MSMARCO;
        }
        String name = LineFile.plainName(data).toLowerCase(Locale.ROOT);
        if (name.endsWith(".jsonl")) {
            return DataForm.ROWS;
        }
        if (name.endsWith(".tsv")) {
            return NliSource.isNli(data) ? DataForm.NLI : DataForm.ROWS;
        }
        throw new FormatException(
                "%s: expected a folder or a name ending in .jsonl, .tsv, .jsonl.gz or .tsv.gz".formatted(data));
    }
}
