package io.github.sgpt4j.cli.console;

import java.util.ArrayList;
import java.util.List;

/// Rows of text in columns as wide as their widest cell. Each cell is put on one line, without control characters.
public final class TextTable {
    private final boolean[] right;
    private final List<String[]> rows = new ArrayList<>();

    /// @param alignment for each column `l` or `r`
    public TextTable(String alignment) {
        right = new boolean[alignment.length()];
        for (int i = 0; i < right.length; i++) {
            right[i] = alignment.charAt(i) == 'r';
        }
    }

    /// @param cells one per column
    public TextTable row(String... cells) {
        if (cells.length != right.length) {
            throw new IllegalArgumentException("expected %d cells, got %d".formatted(right.length, cells.length));
        }
        String[] row = new String[cells.length];
        for (int i = 0; i < row.length; i++) {
            row[i] = Console.oneLine(cells[i]);
        }
        rows.add(row);
        return this;
    }

    @Override
    public String toString() {
        int[] widths = new int[right.length];
        for (String[] row : rows) {
            for (int i = 0; i < row.length; i++) {
                widths[i] = Math.max(widths[i], row[i].length());
            }
        }
        StringBuilder text = new StringBuilder();
        for (String[] row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.length; i++) {
                String padding = " ".repeat(widths[i] - row[i].length());
                line.append(i == 0 ? "" : "  ").append(right[i] ? padding + row[i] : row[i] + padding);
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }
}
