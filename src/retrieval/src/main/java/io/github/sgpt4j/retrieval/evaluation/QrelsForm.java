package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.error.FormatException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// The format of a file of judgements.
enum QrelsForm {
    BEIR {
        @Override
        List<String> fields(String line, String where) {
            List<String> fields = List.of(line.split("\t", -1));
            if (fields.size() != 3
                    || fields.getFirst().isEmpty()
                    || fields.get(1).isEmpty()) {
                throw new FormatException("%s: expected query, document and judgement between tabs, got %s"
                        .formatted(where, ShownText.quoted(line)));
            }
            return List.of(fields.get(0), fields.get(1), fields.get(2).strip());
        }

        @Override
        boolean isHeading(String line) {
            List<String> fields = Arrays.stream(line.split("\t", -1))
                    .map(field -> field.strip().toLowerCase(Locale.ROOT))
                    .toList();
            return QUERY_HEADINGS.contains(fields.getFirst()) && JUDGEMENT_HEADINGS.contains(fields.getLast());
        }
    },

    TREC {
        @Override
        List<String> fields(String line, String where) {
            if (TrecFields.isSkipped(line)) {
                return List.of();
            }
            List<String> fields = TrecFields.split(line);
            if (fields.size() != 4) {
                throw new FormatException("%s: expected query, iteration, document and judgement, got %s"
                        .formatted(where, ShownText.quoted(line)));
            }
            return List.of(fields.get(0), fields.get(2), fields.get(3));
        }

        @Override
        boolean isHeading(String line) {
            return false;
        }
    };

    /// Names of the query and judgement columns in header lines; any other first line is a judgement,
    /// or an error.
    private static final Set<String> QUERY_HEADINGS = Set.of(
            "query-id",
            "query_id",
            "queryid",
            "query id",
            "query",
            "qid",
            "q_id",
            "q-id",
            "topic",
            "topic-id",
            "topic_id",
            "topicid");

    private static final Set<String> JUDGEMENT_HEADINGS = Set.of(
            "score",
            "scores",
            "relevance",
            "relevancy",
            "rel",
            "label",
            "judgement",
            "judgment",
            "grade",
            "rating",
            "qrel");

    /// @param line the first non-blank line
    static QrelsForm of(String line, String where) {
        if (TrecFields.isSkipped(line) || TrecFields.split(line).size() == 4 && line.split("\t", -1).length != 3) {
            return TREC;
        }
        if (line.split("\t", -1).length == 3) {
            return BEIR;
        }
        throw new FormatException(
                "%s: expected judgements as BEIR writes them (query, document, score between tabs) or TREC (query,"
                                .formatted(where)
                        + " iteration, document, relevance), got %s".formatted(ShownText.quoted(line)));
    }

    /// Query, document and judgement of a non-blank line; empty for a line that is skipped.
    abstract List<String> fields(String line, String where);

    /// Whether a first line is a header.
    abstract boolean isHeading(String line);
}
