package io.github.sgpt4j.retrieval.evaluation;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A measure of a ranking, as trec_eval 9 defines it. A document is relevant if its judgement is 1 or
/// more.
///
/// @param kind what is measured
/// @param cutoff how many documents from the top count; 0 for all
public record Measure(Kind kind, int cutoff) {
    /// What is measured, where r_i is the judgement of the i-th document, 0 if there is none or it is
    /// negative, and R is the number of documents judged relevant, found or not. Every measure of a
    /// query without relevant documents is 0.
    public enum Kind {
        /// Σ r_i / log2(i + 1) over the ranking, divided by the same sum over all judged documents in
        /// ideal order.
        NDCG("ndcg"),
        /// Average precision: Σ precision at the rank of each relevant document, divided by R.
        MAP("map"),
        /// Relevant documents found, divided by R.
        RECALL("recall"),
        /// Relevant documents found, divided by the cutoff even if fewer were found.
        PRECISION("P"),
        /// 1 / the rank of the first relevant document. The name with a cutoff is this project's;
        /// trec_eval has none.
        RECIPROCAL_RANK("recip_rank");

        private final String prefix;

        Kind(String prefix) {
            this.prefix = prefix;
        }

        private boolean needsCutoff() {
            return this == RECALL || this == PRECISION;
        }
    }

    private static final Pattern FORM =
            Pattern.compile("(ndcg|map|recall|p|mrr|recip_rank)(?:(?:@|_cut_|_)([1-9][0-9]{0,8}))?");

    /// The cutoffs that reports show by default.
    public static final List<Integer> STANDARD_CUTOFFS = List.of(1, 3, 5, 10, 100);

    /// BEIR's main measure, also used in SGPT's tables.
    public static final Measure NDCG_10 = new Measure(Kind.NDCG, 10);

    /// @throws IllegalArgumentException if `cutoff` is negative, or 0 for a kind that needs one
    public Measure {
        if (cutoff < 0 || cutoff == 0 && kind.needsCutoff()) {
            throw new IllegalArgumentException(
                    "%s: expected a cutoff of at least 1, got %d".formatted(kind.prefix, cutoff));
        }
    }

    /// nDCG, MAP, recall and precision at each cutoff, then the reciprocal rank over the whole ranking.
    ///
    /// @throws IllegalArgumentException if a cutoff is below 1 or occurs twice
    public static List<Measure> standard(List<Integer> cutoffs) {
        if (cutoffs.stream().distinct().count() < cutoffs.size()) {
            throw new IllegalArgumentException("cutoffs: expected each once, got " + cutoffs);
        }
        List<Measure> measures = new ArrayList<>();
        for (Kind kind : List.of(Kind.NDCG, Kind.MAP, Kind.RECALL, Kind.PRECISION)) {
            for (int cutoff : cutoffs) {
                if (cutoff < 1) {
                    throw new IllegalArgumentException("cutoffs: expected at least 1, got " + cutoff);
                }
                measures.add(new Measure(kind, cutoff));
            }
        }
        measures.add(new Measure(Kind.RECIPROCAL_RANK, 0));
        return List.copyOf(measures);
    }

    /// Reads a measure's name: that of [#name], or the usual one, such as `nDCG@10`, `MAP`, `MAP@100`,
    /// `recall@100`, `P@10`, `MRR` or `MRR@10`, in upper or lower case.
    ///
    /// @throws IllegalArgumentException if it is not one of these
    public static Measure parse(String text) {
        Matcher form = FORM.matcher(text.toLowerCase(Locale.ROOT));
        if (form.matches()) {
            Kind kind = switch (form.group(1)) {
                case "ndcg" -> Kind.NDCG;
                case "map" -> Kind.MAP;
                case "recall" -> Kind.RECALL;
                case "p" -> Kind.PRECISION;
                default -> Kind.RECIPROCAL_RANK;
            };
            String cutoff = form.group(2);
            if (cutoff != null || !kind.needsCutoff()) {
                return new Measure(kind, cutoff == null ? 0 : Integer.parseInt(cutoff));
            }
        }
        throw new IllegalArgumentException(
                "expected a measure such as nDCG@10, MAP@100, recall@100, P@10 or MRR, got \"%s\"".formatted(text));
    }

    /// The name that trec_eval gives it: `ndcg_cut_10`, `map_cut_10`, `recall_10`, `P_10`,
    /// `recip_rank`, `map`, `ndcg`.
    public String name() {
        if (cutoff == 0) {
            return kind.prefix;
        }
        boolean cut = kind == Kind.NDCG || kind == Kind.MAP;
        return kind.prefix + (cut ? "_cut_" : "_") + cutoff;
    }

    /// The usual name, for tables: `nDCG@10`, `MAP@100`, `recall@100`, `P@10`, `MRR`.
    public String label() {
        String usual = switch (kind) {
            case NDCG -> "nDCG";
            case MAP -> "MAP";
            case RECALL -> "recall";
            case PRECISION -> "P";
            case RECIPROCAL_RANK -> "MRR";
        };
        return cutoff == 0 ? usual : usual + "@" + cutoff;
    }

    /// As [#name].
    @Override
    public String toString() {
        return name();
    }
}
