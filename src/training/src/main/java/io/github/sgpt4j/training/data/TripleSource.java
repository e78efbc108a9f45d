package io.github.sgpt4j.training.data;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;

/// Rows of training data. Everything was checked when the source was opened; texts are read when they
/// are asked for, so the files must not change meanwhile: a line that did is an error.
public interface TripleSource extends Closeable {
    /// What the data are called in messages.
    String name();

    /// Number of rows.
    int rows();

    /// Number of negatives of every triple.
    int negatives();

    /// A row's texts. Where a row has several positives, or more negatives than are used, they take
    /// turns from pass to pass.
    ///
    /// @param row 0-based
    /// @param pass how often all rows came up before
    /// @throws io.github.sgpt4j.error.FormatException if a file was changed
    Triple triple(int row, long pass);

    /// Content of the files, for resuming with the same data.
    List<DataFile> files();

    /// What a user should know about the data, a sentence each.
    List<String> notices();

    /// Closes the files.
    ///
    /// @throws java.io.IOException if that fails
    @Override
    void close() throws IOException;
}
