package io.github.sgpt4j.inference;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.checkpoint.ScoreActivation;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.inference.PairTemplate.Cut;
import io.github.sgpt4j.inference.PairTemplate.Form;
import io.github.sgpt4j.inference.TemplatePiece.Place;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.text.Quoted;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

/// The templates of published re-rankers, and those in files.
public final class PairTemplates {
    private static final String QWEN_SYSTEM =
            "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct provided. Note that the answer can only be \"yes\" or \"no\".<|im_end|>\n<|im_start|>user\n";
    private static final String QWEN_PAIR = "<Instruct>: {instruction}\n<Query>: {query}\n<Document>: {document}";
    private static final String QWEN_END = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n";
    private static final String WEB_SEARCH =
            "Given a web search query, retrieve relevant passages that answer the query";

    private static final String MXBAI_SYSTEM =
            "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n<|im_start|>user\n";
    private static final String MXBAI_QUESTION =
            "You are a search relevance expert who evaluates how well documents match search queries. For each query-document pair, carefully analyze the semantic relationship between them, then provide your binary relevance judgment (0 for not relevant, 1 for relevant).\nRelevance:";
    private static final String MXBAI_END = "<|im_end|>\n<|im_start|>assistant\n";

    /// Qwen/Qwen3-Reranker: the usage on the model's page.
    public static final PairTemplate QWEN3_RERANKER = new PairTemplate(
            "qwen3-reranker",
            Form.PIECES,
            List.of(QWEN_SYSTEM, QWEN_PAIR, QWEN_END),
            List.of(),
            Optional.of(WEB_SEARCH),
            Optional.of("yes"),
            Optional.of("no"),
            OptionalInt.of(8192),
            Optional.of(ScoreActivation.SIGMOID),
            Cut.PROMPT);

    /// BAAI/bge-reranker-v2-gemma: FlagEmbedding, whose `prompt` is the instruction here.
    public static final PairTemplate BGE_GEMMA = new PairTemplate(
            "bge-gemma",
            Form.PIECES,
            List.of("<bos>", "A: {query}", "\n", "B: {document}", "\n", "{instruction}"),
            List.of(),
            Optional.of(
                    "Given a query A and a passage B, determine whether the passage contains an answer to the query by providing a prediction of either 'Yes' or 'No'."),
            Optional.of("Yes"),
            Optional.empty(),
            OptionalInt.of(1024),
            Optional.of(ScoreActivation.NONE),
            Cut.TEXTS_AND_QUESTION);

    /// mixedbread-ai/mxbai-rerank-base-v2 and large-v2: the library mxbai-rerank.
    public static final PairTemplate MXBAI_V2 = new PairTemplate(
            "mxbai-v2",
            Form.PIECES,
            mxbai("instruction: {instruction}\nquery: {query}"),
            mxbai("query: {query}"),
            Optional.empty(),
            Optional.of("1"),
            Optional.of("0"),
            OptionalInt.of(8192),
            Optional.of(ScoreActivation.NONE),
            Cut.TEXTS);

    /// castorini/rankllama.
    public static final PairTemplate RANKLLAMA = new PairTemplate(
            "rankllama",
            Form.PAIR,
            List.of("query: {query}", "document: {document}"),
            List.of(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            OptionalInt.empty(),
            Optional.of(ScoreActivation.NONE),
            Cut.PROMPT);

    /// nvidia/llama-3.2-nv-rerankqa-1b-v2.
    public static final PairTemplate NVIDIA_RERANK = new PairTemplate(
            "nvidia-rerank",
            Form.TEXT,
            List.of("question:{query} \n \n passage:{document}"),
            List.of(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            OptionalInt.empty(),
            Optional.of(ScoreActivation.NONE),
            Cut.PROMPT);

    /// Names of published models, in lower case, and their templates.
    public static final Map<Pattern, PairTemplate> BY_MODEL = Map.of(
            Pattern.compile("qwen3-reranker"), QWEN3_RERANKER,
            Pattern.compile("bge-reranker-v2-gemma"), BGE_GEMMA,
            Pattern.compile("mxbai-rerank-[a-z0-9]+-v2"), MXBAI_V2,
            Pattern.compile("rankllama"), RANKLLAMA,
            Pattern.compile("llama-3\\.2-nv-rerankqa|llama-nemotron-rerank"), NVIDIA_RERANK);

    private static final Map<String, Form> FORMS = Map.of("pieces", Form.PIECES, "text", Form.TEXT, "pair", Form.PAIR);

    private static final Map<String, ScoreActivation> ACTIVATIONS =
            Map.of("sigmoid", ScoreActivation.SIGMOID, "none", ScoreActivation.NONE);

    private static final Set<String> KEYS = Set.of(
            "form",
            "pieces",
            "pieces_without_instruction",
            "instruction",
            "true_token",
            "false_token",
            "max_length",
            "activation");

    private static final int MAX_PIECES = 64;

    private PairTemplates() {}

    private static List<String> mxbai(String query) {
        return List.of(MXBAI_SYSTEM, query, "\n", "document: {document}", "\n", MXBAI_QUESTION, MXBAI_END);
    }

    /// Reads a template from a JSON file.
    ///
    /// @throws FormatException if the file is missing or broken, or has other keys
    public static PairTemplate read(Path path) {
        JsonFile file = JsonFile.readObject(path);
        for (String key : file.keys()) {
            if (!KEYS.contains(key)) {
                throw new FormatException("%s: key %s: expected one of %s"
                        .formatted(path, Quoted.of(key), KEYS.stream().sorted().toList()));
            }
        }
        Form form = choice(file, "form", FORMS, Optional.of(Form.PIECES)).orElseThrow();
        List<String> pieces = pieces(file, "pieces");
        List<String> without = pieces(file, "pieces_without_instruction");
        int expected = form == Form.TEXT ? 1 : 2;
        if (form != Form.PIECES && (pieces.size() != expected || !without.isEmpty() && without.size() != expected)) {
            throw new FormatException("%s: key \"pieces\": expected %d with the form \"%s\", got %d"
                    .formatted(path, expected, form == Form.TEXT ? "text" : "pair", pieces.size()));
        }
        checkPlaces(path, "pieces", pieces);
        if (!without.isEmpty()) {
            checkPlaces(path, "pieces_without_instruction", without);
        }
        Optional<String> trueToken = text(file, "true_token");
        Optional<String> falseToken = text(file, "false_token");
        if (falseToken.isPresent() && trueToken.isEmpty()) {
            throw new FormatException(
                    "%s: key \"false_token\": expected a \"true_token\" too, found none".formatted(path));
        }
        return new PairTemplate(
                String.valueOf(path.getFileName()),
                form,
                pieces,
                without,
                text(file, "instruction"),
                trueToken,
                falseToken,
                file.has("max_length") ? OptionalInt.of(file.positiveInt("max_length")) : OptionalInt.empty(),
                choice(file, "activation", ACTIVATIONS, Optional.empty()),
                Cut.PROMPT);
    }

    private static void checkPlaces(Path path, String key, List<String> pieces) {
        for (Place place : List.of(Place.QUERY, Place.DOCUMENT)) {
            if (pieces.stream().noneMatch(piece -> TemplatePiece.parse(piece).has(place))) {
                throw new FormatException("%s: key \"%s\": expected a piece with {%s}, found none"
                        .formatted(path, key, place.name().toLowerCase(Locale.ROOT)));
            }
        }
    }

    private static List<String> pieces(JsonFile file, String key) {
        Optional<JsonNode> value = file.node(key);
        if (value.isEmpty()) {
            if (key.equals("pieces")) {
                throw new FormatException("%s: expected key \"pieces\", found none".formatted(file.path()));
            }
            return List.of();
        }
        List<String> pieces = new ArrayList<>();
        for (JsonNode each : value.get()) {
            if (!each.isTextual()) {
                throw file.wrong(key, "a list of strings", value.get());
            }
            pieces.add(each.textValue());
        }
        if (pieces.isEmpty() || pieces.size() > MAX_PIECES) {
            throw file.wrong(key, "a list of 1 to %d strings".formatted(MAX_PIECES), value.get());
        }
        return pieces;
    }

    private static Optional<String> text(JsonFile file, String key) {
        return file.has(key) ? Optional.of(file.text(key, "")) : Optional.empty();
    }

    private static <T> Optional<T> choice(JsonFile file, String key, Map<String, T> values, Optional<T> fallback) {
        if (!file.has(key)) {
            return fallback;
        }
        T value = values.get(file.text(key, ""));
        if (value == null) {
            throw file.wrong(
                    key,
                    "one of " + values.keySet().stream().sorted().toList(),
                    file.node(key).orElseThrow());
        }
        return Optional.of(value);
    }
}
