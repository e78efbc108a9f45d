package io.github.sgpt4j.training.data;

import java.util.List;

/// Which queries, positives and negatives make the rows of [MsMarcoSource]. Texts are meant by their
/// index in [IdTexts].
///
/// @param queries of each row
/// @param starts where the passages of each row begin, and where those of the last end
/// @param positives how many of a row's passages are positives; they come first
/// @param passages of all rows
/// @param notices what a user should know
/// @param files content of the files
record MsMarcoRows(
        IntList queries,
        IntList starts,
        IntList positives,
        IntList passages,
        List<String> notices,
        List<DataFile> files) {
    int count() {
        return queries.size();
    }

    int query(int row) {
        return queries.get(row);
    }

    int[] positives(int row) {
        return passages.slice(starts.get(row), starts.get(row) + positives.get(row));
    }

    int[] negatives(int row) {
        return passages.slice(starts.get(row) + positives.get(row), starts.get(row + 1));
    }
}
