package io.github.sgpt4j.training.data;

/// How training data are laid out.
public enum DataForm {
    /// Decided by names: a folder is [#MSMARCO]; a file ending in `.jsonl` is [#ROWS]; one ending in
    /// `.tsv` is [#NLI] if its first line names AllNLI's columns, [#ROWS] otherwise. Each may end in
    /// `.gz`.
    AUTO,

    /// A file of rows, see [RowSource].
    ROWS,

    /// MS MARCO's folder, see [MsMarcoSource].
    MSMARCO,

    /// AllNLI, see [NliSource].
    NLI
}
