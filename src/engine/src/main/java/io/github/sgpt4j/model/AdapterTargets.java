package io.github.sgpt4j.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonFile;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Which modules a LoRA adapter changes, and by how much: `target_modules` (suffixes of names, or one
/// pattern for whole names), `exclude_modules`, `layers_to_transform`, `layers_pattern`, `r`,
/// `lora_alpha`, `use_rslora`, `rank_pattern`, `alpha_pattern`. Module names are those of the trained
/// model, such as `model.layers.0.mlp.up_proj`.
public final class AdapterTargets {
    private final JsonFile file;
    private final List<NamePattern> targets;
    private final List<NamePattern> excluded;
    private final List<Integer> layers;
    private final List<NamePattern> layerPatterns;
    private final Map<NamePattern, Double> ranks;
    private final Map<NamePattern, Double> alphas;

    private AdapterTargets(JsonFile file) {
        this.file = file;
        targets = modules("target_modules");
        excluded = modules("exclude_modules");
        layers = layers();
        layerPatterns = new ArrayList<>();
        for (String pattern : texts("layers_pattern")) {
            layerPatterns.add(
                    NamePattern.compile(file, "layers_pattern", "(?:.*?\\.)?(?:" + pattern + ")\\.(\\d+)\\..*"));
        }
        if (layerPatterns.isEmpty()) {
            layerPatterns.add(NamePattern.compile(file, "layers_pattern", ".*?\\.[^.]*\\.(\\d+)\\..*"));
        }
        ranks = numbers("rank_pattern");
        alphas = numbers("alpha_pattern");
        for (double rank : ranks.values()) {
            if (rank < 1 || rank != Math.rint(rank) || rank > Integer.MAX_VALUE) {
                throw new FormatException("%s: key \"rank_pattern\": expected whole numbers of at least 1, got %s"
                        .formatted(file.path(), rank));
            }
        }
    }

    static AdapterTargets read(JsonFile file) {
        return new AdapterTargets(file);
    }

    /// Whether the configuration names the module.
    public boolean names(String module) {
        return (targets.isEmpty() || targets.stream().anyMatch(target -> target.matches(module)))
                && excluded.stream().noneMatch(exclusion -> exclusion.matches(module))
                && (layers.isEmpty() || layer(module).filter(layers::contains).isPresent());
    }

    private Optional<Integer> layer(String module) {
        for (NamePattern pattern : layerPatterns) {
            Optional<Matcher> match = pattern.match(module);
            if (match.isPresent() && match.get().groupCount() > 0) {
                String digits = String.valueOf(match.get().group(match.get().groupCount()));
                return digits.length() > 6 ? Optional.empty() : Optional.of(Integer.valueOf(digits));
            }
        }
        return Optional.empty();
    }

    /// Rank of a module's product.
    public int rank(String module) {
        double rank = find(ranks, module).orElse((double) file.positiveInt(8, "r"));
        return (int) rank;
    }

    /// The factor of a module's product: alpha / r, or alpha / √r if rank-stabilised (Kalajdzievski
    /// 2023, arXiv 2312.03732).
    public double scale(String module) {
        double alpha = find(alphas, module).orElse(file.has("lora_alpha") ? number("lora_alpha") : 8);
        int rank = rank(module);
        return file.bool("use_rslora", false) ? alpha / Math.sqrt(rank) : alpha / rank;
    }

    private static Optional<Double> find(Map<NamePattern, Double> patterns, String module) {
        return patterns.entrySet().stream()
                .filter(entry -> entry.getKey().matches(module))
                .map(Map.Entry::getValue)
                .findFirst();
    }

    private double number(String key) {
        return file.node(key)
                .map(value -> number(key, value))
                .orElseThrow(
                        () -> new FormatException("%s: expected key \"%s\", found none".formatted(file.path(), key)));
    }

    private double number(String key, JsonNode value) {
        if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
            throw file.wrong(key, "a number", value);
        }
        return value.doubleValue();
    }

    private List<NamePattern> modules(String key) {
        Optional<JsonNode> value = file.node(key);
        List<NamePattern> patterns = new ArrayList<>();
        if (value.isPresent() && value.get().isTextual()) {
            String pattern = value.get().textValue();
            // peft replaces this value by a list of modules when it creates an adapter; in a stored
            // adapter it only occurs if edited by hand.
            patterns.add(NamePattern.compile(file, key, pattern.equals("all-linear") ? ".*" : pattern));
            return patterns;
        }
        for (String ending : texts(key)) {
            patterns.add(NamePattern.compile(file, key, "(?:.*\\.)?" + Pattern.quote(ending)));
        }
        return patterns;
    }

    /// One string, or a list of them.
    private List<String> texts(String key) {
        List<String> texts = new ArrayList<>();
        file.node(key).ifPresent(value -> {
            for (JsonNode item : value.isArray() ? value : List.of(value)) {
                if (!item.isTextual()) {
                    throw file.wrong(key, "a string or a list of strings", value);
                }
                if (!item.textValue().isEmpty()) {
                    texts.add(item.textValue());
                }
            }
        });
        return texts;
    }

    private List<Integer> layers() {
        List<Integer> numbers = new ArrayList<>();
        file.node("layers_to_transform").ifPresent(value -> {
            for (JsonNode item : value.isArray() ? value : List.of(value)) {
                if (!item.isInt()) {
                    throw file.wrong("layers_to_transform", "numbers of layers", value);
                }
                numbers.add(item.intValue());
            }
        });
        return numbers;
    }

    private Map<NamePattern, Double> numbers(String key) {
        Map<NamePattern, Double> numbers = new LinkedHashMap<>();
        file.node(key).ifPresent(value -> {
            if (!value.isObject()) {
                throw file.wrong(key, "an object of numbers", value);
            }
            value.properties()
                    .forEach(entry -> numbers.put(
                            NamePattern.compile(file, key, "(?:.*\\.)?(?:" + entry.getKey() + ")"),
                            number(key, entry.getValue())));
        });
        return numbers;
    }
}
