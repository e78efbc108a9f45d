package io.github.sgpt4j.training.data;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/// Rows of training data. Everything was checked when the source was opened; rows are read when they
/// are asked for, so the files must not change meanwhile: a row that did is an error.
///
/// @param <R> what a row is
public sealed interface TrainingSource<R extends TextRow> extends Closeable permits TripleSource, TeacherSource {
    /// What the data are called in messages.
    String name();

    /// Number of rows.
    int rows();

    /// A row. Where it has texts to choose from, they take turns from pass to pass.
    ///
    /// @param row 0-based
    /// @param pass how often all rows came up before
    /// @throws io.github.sgpt4j.error.FormatException if a file was changed
    R row(int row, long pass);

    /// Content of the files, for resuming with the same data.
    List<DataFile> files();

    /// What a user should know about the data, a sentence each.
    List<String> notices();

    /// What decides the rows besides the files, by name: a training that continues must have the same.
    Map<String, String> settings();

    /// Closes the files.
    ///
    /// @throws IOException if that fails
    @Override
    void close() throws IOException;
}
