package io.github.sgpt4j.cli.vectors;

import io.github.sgpt4j.cli.console.TextTable;
import io.github.sgpt4j.cli.output.JsonLines;
import io.github.sgpt4j.retrieval.mining.Neighbour;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Writes how similar the texts of two files are; one of the methods, for each text of the first in
/// order.
interface SimilarityWriter {
    /// A text with all of the second file.
    void row(int index, float[] scores) throws IOException;

    /// A text with the nearest of the second file.
    void nearest(int index, List<Neighbour> neighbours) throws IOException;

    /// A text with the one at the same place of the second file.
    void pair(int index, float score) throws IOException;

    /// Passes everything on.
    void finish() throws IOException;

    /// For programs.
    static SimilarityWriter jsonLines(OutputStream out, VectorTexts first, VectorTexts second) throws IOException {
        JsonLines lines = new JsonLines(out);
        return new SimilarityWriter() {
            @Override
            public void row(int index, float[] scores) throws IOException {
                lines.line(json -> {
                    first.write(json, index);
                    json.writeArrayFieldStart("scores");
                    for (float score : scores) {
                        json.writeNumber(score);
                    }
                    json.writeEndArray();
                });
            }

            @Override
            public void nearest(int index, List<Neighbour> neighbours) throws IOException {
                lines.line(json -> {
                    first.write(json, index);
                    json.writeArrayFieldStart("nearest");
                    for (Neighbour each : neighbours) {
                        json.writeStartObject();
                        second.write(json, each.index());
                        json.writeNumberField("score", each.score());
                        json.writeEndObject();
                    }
                    json.writeEndArray();
                });
            }

            @Override
            public void pair(int index, float score) throws IOException {
                lines.line(json -> {
                    json.writeNumberField("score", score);
                    first.writeObject(json, "first", index);
                    second.writeObject(json, "second", index);
                });
            }

            @Override
            public void finish() throws IOException {
                lines.flush();
            }
        };
    }

    /// For people.
    ///
    /// @param columns of the terminal, 0 if unknown
    static SimilarityWriter table(OutputStream out, int columns, VectorTexts first, VectorTexts second) {
        TextLines lines = new TextLines(columns);
        return new SimilarityWriter() {
            private TextTable matrix = new TextTable("");
            private boolean started;

            @Override
            public void row(int index, float[] scores) {
                if (!started) {
                    started = true;
                    matrix = new TextTable("l" + "r".repeat(scores.length));
                    matrix.row(cells("", second.ids().stream()));
                }
                matrix.row(cells(
                        first.ids().get(index),
                        IntStream.range(0, scores.length).mapToObj(i -> TextLines.score(scores[i]))));
            }

            private static String[] cells(String head, Stream<String> others) {
                return Stream.concat(Stream.of(head), others).toArray(String[]::new);
            }

            @Override
            public void nearest(int index, List<Neighbour> neighbours) throws IOException {
                StringBuilder text = new StringBuilder(index == 0 ? "" : "\n");
                text.append(lines.line("", first.ids().get(index), first.text(index))
                        .substring(2));
                for (Neighbour each : neighbours) {
                    text.append(lines.line(
                            "  " + TextLines.score(each.score()),
                            second.ids().get(each.index()),
                            second.text(each.index())));
                }
                print(text.toString());
            }

            @Override
            public void pair(int index, float score) throws IOException {
                String before = TextLines.score(score);
                print(lines.line(before, first.ids().get(index), first.text(index))
                        + lines.line(" ".repeat(before.length()), second.ids().get(index), second.text(index)));
            }

            @Override
            public void finish() throws IOException {
                if (started) {
                    print(matrix.toString());
                }
            }

            private void print(String text) throws IOException {
                out.write(text.getBytes(StandardCharsets.UTF_8));
            }
        };
    }
}
