package io.github.sgpt4j.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.CustomCode;
import io.github.sgpt4j.model.family.DecoderConfig;
import io.github.sgpt4j.model.family.TensorNames;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/// Where the embedding table and the output head of a decoder are stored.
///
/// A tied pair is stored once: under the table's name, or by some software under the head's. If a tied
/// model stores both and they differ, both are used, as transformers 5 does.
record OutputHead(DecoderConfig config, TensorNames names, String prefix) {
    /// Weights of classification heads, as named by transformers' classes and others.
    private static final List<String> CLASSIFIERS =
            List.of("score.weight", "classifier.weight", "classifier.dense.weight", "qa_outputs.weight");

    private static final Set<String> CLASSIFYING =
            Set.of("ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering");

    /// The head of a classifier with one label, in the classes of every family.
    static final String SCORE = "score.weight";

    /// Number of labels if `config.json` states none, as in transformers.
    private static final int USUAL_LABELS = 2;

    /// Whether the model scores a text: a class for sequences with one label.
    static boolean scores(JsonFile file) {
        if (CustomCode.architectures(file).stream().noneMatch(name -> name.endsWith("ForSequenceClassification"))
                || labels(file) != 1) {
            return false;
        }
        int vocabulary = file.positiveInt("vocab_size");
        file.node("pad_token_id").filter(pad -> pad.asLong() >= vocabulary).ifPresent(pad -> {
            throw file.wrong("pad_token_id", "a token of the vocabulary, below " + vocabulary, pad);
        });
        return true;
    }

    private static int labels(JsonFile file) {
        int stated = file.positiveInt(USUAL_LABELS, "num_labels", "_num_labels");
        int named = file.node("id2label").map(JsonNode::size).orElse(stated);
        if ((file.has("num_labels") || file.has("_num_labels")) && stated != named) {
            throw new FormatException("%s: key \"num_labels\": expected that of \"id2label\", %d, got %d"
                    .formatted(file.path(), named, stated));
        }
        return named;
    }

    /// The tensor of a head with one label.
    ///
    /// @throws FormatException if it is missing or has another shape
    WeightTensor score(Weights weights) {
        return weights.get(SCORE, 1, config.embeddingWidth());
    }

    /// Name of the embedding table.
    ///
    /// @param stored whether the checkpoint has a tensor with a name
    String table(Predicate<String> stored) {
        String table = prefix + names.embedding() + ".weight";
        return stored.test(table) || !config.tiedHead()
                ? table
                : module(stored).map(head -> head + ".weight").orElse(table);
    }

    /// The head's module, if a separate weight is stored for it.
    Optional<String> module(Predicate<String> stored) {
        return names.heads().stream().filter(n -> stored.test(n + ".weight")).findFirst();
    }

    /// Names of the head's weight and, if it has one, bias.
    List<String> tensors(Predicate<String> stored) {
        String module = module(stored).orElse(names.heads().getFirst());
        String weight = module(stored).isEmpty() && config.tiedHead() ? table(stored) : module + ".weight";
        return config.bias().head() ? List.of(weight, module + ".bias") : List.of(weight);
    }

    /// The tensor of the head's weight; the embedding table if the model is tied and no other head is
    /// stored.
    ///
    /// @throws FormatException if there is no such tensor
    WeightTensor weight(Weights weights) {
        Optional<WeightTensor> own = module(weights::contains).map(module -> get(weights, module + ".weight"));
        if (!config.tiedHead()) {
            return own.orElseThrow(() -> new FormatException(
                    "%s: expected tensor \"%s.weight\" (the output head, needed for scoring), found none"
                            .formatted(weights.files().getFirst(), names.heads().getFirst())));
        }
        WeightTensor table = get(weights, table(weights::contains));
        return own.filter(head -> !isSame(head, table)).orElse(table);
    }

    private WeightTensor get(Weights weights, String name) {
        return weights.get(name, config.vocabulary(), config.embeddingWidth());
    }

    private static boolean isSame(WeightTensor head, WeightTensor table) {
        return head.dtype() == table.dtype() && head.hasBytesOf(table);
    }

    /// What users should know before scoring with this head.
    List<String> notices(Weights weights) {
        if (!config.tiedHead() || !weights.contains(table(weights::contains))) {
            return List.of();
        }
        WeightTensor head = weight(weights);
        return head.name().equals(table(weights::contains))
                ? List.of()
                : List.of(
                        "%s: tensor %s differs from the embedding table, although config.json ties them (\"tie_word_embeddings\"): scores use the stored head, as in transformers 5"
                                .formatted(head.file(), Quoted.of(head.name())));
    }

    private static String labelled(JsonFile file) {
        int labels = labels(file);
        return labels == 1 ? ", which cannot tell how likely a text is" : " with %d labels".formatted(labels);
    }

    /// Refuses a model with a classification head.
    ///
    /// @throws UnsupportedModelException if config.json names a class with such a head, or if only such
    ///     a head is stored
    void refuseClassifier(JsonFile file, Predicate<String> stored) {
        for (String name : CustomCode.architectures(file)) {
            if (CLASSIFYING.stream().anyMatch(name::endsWith)) {
                throw new UnsupportedModelException(
                        "%s: key \"architectures\": %s has a classification head%s: expected a model with an output head over the vocabulary, or a class for sequences with one label"
                                .formatted(file.path(), Quoted.of(name), labelled(file)));
            }
        }
        for (String name : CLASSIFIERS) {
            if (stored.test(name) && module(stored).isEmpty()) {
                throw new UnsupportedModelException(
                        "%s: the weights contain a classification head, tensor %s, which is not supported: expected an output head over the vocabulary"
                                .formatted(file.path().resolveSibling(Weights.SINGLE_FILE), Quoted.of(name)));
            }
        }
    }
}
