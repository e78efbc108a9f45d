package io.github.sgpt4j.retrieval.evaluation;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/// A set of BEIR's collections whose mean is published as one figure. Each collection counts once,
/// CQADupStack with the mean of its twelve forums. MS MARCO is in none of them, since models are trained
/// on it.
///
/// @param name as tables show it
/// @param collections names of BEIR's folders
public record BeirAverage(String name, List<String> collections) {
    /// MS MARCO, whose published figures are those of the split `dev`.
    public static final String MSMARCO = "msmarco";

    /// All of BEIR but MS MARCO; `average` in SGPT's evaluation.
    public static final BeirAverage ZERO_SHOT = new BeirAverage(
            "BEIR's average of 18",
            List.of(
                    "arguana",
                    "bioasq",
                    "climate-fever",
                    "cqadupstack",
                    "dbpedia-entity",
                    "fever",
                    "fiqa",
                    "hotpotqa",
                    "nfcorpus",
                    "nq",
                    "quora",
                    "robust04",
                    "scidocs",
                    "scifact",
                    "signal1m",
                    "trec-covid",
                    "trec-news",
                    "webis-touche2020"));

    /// These without BioASQ, Robust04, Signal-1M and TREC-NEWS, which may not be redistributed.
    public static final BeirAverage PUBLIC = new BeirAverage(
            "average of the 14 public ones",
            ZERO_SHOT.collections.stream()
                    .filter(name -> !Set.of("bioasq", "robust04", "signal1m", "trec-news")
                            .contains(name))
                    .toList());

    /// `subaverage` in SGPT's evaluation: the collections that OpenAI published figures for.
    public static final BeirAverage SGPT_11 = new BeirAverage(
            "SGPT's sub-average of 11",
            List.of(
                    "arguana",
                    "climate-fever",
                    "dbpedia-entity",
                    "fever",
                    "fiqa",
                    "hotpotqa",
                    "nfcorpus",
                    "quora",
                    "scifact",
                    "trec-covid",
                    "webis-touche2020"));

    /// `subsubaverage` in SGPT's evaluation: small collections.
    public static final BeirAverage SGPT_5 =
            new BeirAverage("SGPT's sub-average of 5", List.of("arguana", "fiqa", "nfcorpus", "scidocs", "scifact"));

    /// All of them, largest first.
    public static final List<BeirAverage> ALL = List.of(ZERO_SHOT, PUBLIC, SGPT_11, SGPT_5);

    /// Keeps a copy.
    public BeirAverage {
        collections = List.copyOf(collections);
    }

    /// Whether a folder has the name of one of BEIR's collections, MS MARCO among them.
    public static boolean isBeir(String collection) {
        String name = collection.toLowerCase(Locale.ROOT);
        return name.equals(MSMARCO) || ZERO_SHOT.collections.contains(name);
    }

    /// The split that BEIR evaluates: `dev` of MS MARCO, `test` of all others.
    public static String split(String collection) {
        return collection.equalsIgnoreCase(MSMARCO) ? "dev" : "test";
    }

    /// The collections that are not among the given ones; the average is published only if there are
    /// none.
    public List<String> missing(Collection<String> evaluated) {
        Set<String> names =
                evaluated.stream().map(name -> name.toLowerCase(Locale.ROOT)).collect(Collectors.toSet());
        return collections.stream().filter(name -> !names.contains(name)).toList();
    }
}
