package io.github.sgpt4j.cli.output;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.passage.Passage;
import io.github.sgpt4j.retrieval.passage.TextRange;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/// Writes the results of a search.
public interface ResultWriter {
    /// @throws IOException if it cannot be written
    void write(String query, List<Hit> hits) throws IOException;

    /// Passes everything to the operating system.
    void flush() throws IOException;

    /// Writes one table per query, separated by empty lines.
    static ResultWriter table(OutputStream out, ResultTable table) {
        return new ResultWriter() {
            private String before = "";

            @Override
            public void write(String query, List<Hit> hits) throws IOException {
                out.write((before + table.render(query, hits)).getBytes(StandardCharsets.UTF_8));
                before = "\n";
            }

            @Override
            public void flush() throws IOException {
                out.flush();
            }
        };
    }

    /// Writes one object per document.
    ///
    /// @param fused the similarity of the embeddings, if scores are fused and their parts are to be written too
    static ResultWriter jsonLines(OutputStream out, Optional<Similarity> fused) throws IOException {
        JsonLines lines = new JsonLines(out);
        return new ResultWriter() {
            @Override
            public void write(String query, List<Hit> hits) throws IOException {
                for (int i = 0; i < hits.size(); i++) {
                    line(lines, query, i + 1, hits.get(i), fused);
                }
            }

            @Override
            public void flush() throws IOException {
                lines.flush();
                out.flush();
            }
        };
    }

    private static void line(JsonLines lines, String query, int rank, Hit hit, Optional<Similarity> fused)
            throws IOException {
        Document document = hit.document();
        lines.line(json -> {
            json.writeStringField("query", query);
            json.writeNumberField("rank", rank);
            json.writeStringField("id", document.id());
            if (document.title().isPresent()) {
                json.writeStringField("title", document.title().get());
            }
            json.writeStringField("text", document.text());
            if (!document.metadata().isEmpty()) {
                json.writeFieldName("metadata");
                json.writeRawValue(document.metadata().toJson());
            }
            json.writeNumberField("score", hit.score());
            if (fused.isPresent() && hit.similarity().isPresent()) {
                json.writeNumberField(fused.get().toString(), hit.similarity().get());
            }
            if (fused.isPresent() && hit.bm25().isPresent()) {
                json.writeNumberField("bm25", hit.bm25().get());
            }
            if (hit.rerankScore().isPresent()) {
                json.writeNumberField("rerank_score", hit.rerankScore().get());
            }
            Passage passage = hit.passage();
            if (passage.range().length() < document.text().length()) {
                json.writeObjectFieldStart("passage");
                TextRange place = passage.codePoints(document.text());
                json.writeNumberField("start", place.start());
                json.writeNumberField("end", place.end());
                json.writeStringField("text", passage.text());
                json.writeEndObject();
            }
        });
    }
}
