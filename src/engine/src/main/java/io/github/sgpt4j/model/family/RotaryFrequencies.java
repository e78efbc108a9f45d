package io.github.sgpt4j.model.family;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.text.Quoted;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Inverse frequencies of rotary embeddings from config.json, in the formats before transformers 5
/// (`rope_theta`, `rope_scaling`, `rotary_pct`) and since then (`rope_parameters`). Follows
/// `modeling_rope_utils.py`.
public final class RotaryFrequencies {
    private static final String FULL = "full_attention";
    private static final String SLIDING = "sliding_attention";
    private static final String THETA = "rope_theta";
    private static final String ORIGINAL = "original_max_position_embeddings";
    private static final double GEMMA3_THETA = 1_000_000;

    /// The default of transformers' configuration of Phi-3.
    private static final int PHI3_ORIGINAL = 4096;

    private RotaryFrequencies() {}

    /// Rotary parameters of GPT-NeoX: part of a head is rotated, by default a quarter.
    ///
    /// @param headDim dimensions of a head
    /// @param maxPositions the length that the model was trained for
    static Positions.Rotary gptNeoX(JsonFile config, int headDim, int maxPositions) {
        Optional<JsonFile> parameters = parameters(config);
        double theta = theta(parameters, config.positiveNumber(10000, "rotary_emb_base"));
        double fraction = config.positiveNumber(0.25, "rotary_pct");
        if (parameters.isPresent()) {
            fraction = parameters.get().positiveNumber(fraction, "partial_rotary_factor");
        }
        // Keys of other families, which transformers writes in addition but does not read.
        requireSame(config, "rope_theta", theta);
        requireSame(config, "partial_rotary_factor", fraction);
        return rotary(config, parameters, headDim, fraction, theta, maxPositions);
    }

    /// Rotary parameters of Llama and related families: whole heads are rotated.
    static Positions.Rotary llama(JsonFile config, int headDim, int maxPositions) {
        Optional<JsonFile> parameters = parameters(config);
        double theta = theta(parameters, config.positiveNumber(10000, "rope_theta"));
        return rotary(config, parameters, headDim, 1, theta, maxPositions);
    }

    /// Rotary parameters of Phi-3: part of a head may be rotated, and `longrope` scales each pair by a
    /// factor of its
    /// own.
    static Positions.Rotary phi3(JsonFile config, int headDim, int maxPositions) {
        Optional<JsonFile> parameters = parameters(config);
        double theta = theta(parameters, config.positiveNumber(10000, "rope_theta"));
        double fraction = config.positiveNumber(1, "partial_rotary_factor");
        if (parameters.isPresent()) {
            fraction = parameters.get().positiveNumber(fraction, "partial_rotary_factor");
            String type = type(parameters.get());
            // Names of older versions: transformers' configuration of Phi-3 takes both for longrope.
            if (type.equals("longrope") || type.equals("su") || type.equals("yarn")) {
                Positions.Rotary plain = rotary(config, Optional.empty(), headDim, fraction, theta, maxPositions);
                int original = phi3Original(config);
                requireSame(parameters.get(), ORIGINAL, original);
                return longRope(parameters.get(), plain.inverseFrequencies(), original, maxPositions);
            }
        }
        return rotary(config, parameters, headDim, fraction, theta, maxPositions);
    }

    private static String type(JsonFile scaling) {
        return scaling.text("rope_type", scaling.text("type", "default"));
    }

    /// Positions that a model of Phi-3 takes with its rotation: with `longrope`, those of the texts
    /// for which the
    /// short factors are; longer ones need the long factors for all their tokens.
    static int trainedPositions(JsonFile config, Positions.Rotary rotary) {
        int all = config.positiveInt("max_position_embeddings");
        return rotary.unlimited() ? all : Math.min(all, phi3Original(config));
    }

    /// The length before the scaling, which this family reads from config.json itself.
    private static int phi3Original(JsonFile config) {
        return config.positiveInt(PHI3_ORIGINAL, ORIGINAL);
    }

    /// Rotary parameters of Gemma 3's layers without a window.
    static Positions.Rotary gemma3(JsonFile config, int headDim, int maxPositions) {
        Optional<JsonFile> own = ofLayers(config, FULL);
        if (own.isPresent()) {
            config.object("rope_scaling").filter(s -> !s.isEmpty()).ifPresent(s -> {
                throw config.unsupported(
                        "rope_scaling",
                        "\"rope_parameters\" has a rotation for each kind of layers: expected it there");
            });
            double theta = own.get().positiveNumber(GEMMA3_THETA, THETA);
            return rotary(config, own, headDim, 1, theta, maxPositions);
        }
        Optional<JsonFile> parameters = config.object("rope_scaling").filter(s -> !s.isEmpty());
        return rotary(config, parameters, headDim, 1, config.positiveNumber(GEMMA3_THETA, THETA), maxPositions);
    }

    /// Rotary parameters of Gemma 3's layers with a window; `rope_scaling` does not apply to them.
    static Positions.Rotary gemma3Local(JsonFile config, int headDim, int maxPositions) {
        double fallback = config.positiveNumber(10000, "rope_local_base_freq");
        Optional<JsonFile> own = ofLayers(config, SLIDING);
        double theta = own.map(p -> p.positiveNumber(fallback, THETA)).orElse(fallback);
        return rotary(config, own, headDim, 1, theta, maxPositions);
    }

    /// The part of `rope_parameters` for a kind of layers, if the file has parts.
    private static Optional<JsonFile> ofLayers(JsonFile config, String kind) {
        Optional<JsonFile> parameters = config.object("rope_parameters").filter(p -> p.has(FULL) || p.has(SLIDING));
        if (parameters.isEmpty()) {
            config.object("rope_parameters").filter(p -> !p.isEmpty()).ifPresent(p -> {
                throw config.unsupported("rope_parameters", "expected a rotation for each kind of layers");
            });
            return Optional.empty();
        }
        return Optional.of(parameters
                .get()
                .object(kind)
                .orElseThrow(() ->
                        config.unsupported("rope_parameters", "expected \"%s\" and \"%s\"".formatted(FULL, SLIDING))));
    }

    /// The object that describes the rotation. As in transformers, a non-empty `rope_scaling` replaces
    /// all of `rope_parameters`.
    private static Optional<JsonFile> parameters(JsonFile config) {
        Optional<JsonFile> scaling = config.object("rope_scaling").filter(s -> !s.isEmpty());
        Optional<JsonFile> parameters = scaling.or(() -> config.object("rope_parameters"));
        parameters.ifPresent(p -> refuseLayerTypes(config, p));
        return parameters;
    }

    private static double theta(Optional<JsonFile> parameters, double fallback) {
        return parameters.map(p -> p.positiveNumber(fallback, "rope_theta")).orElse(fallback);
    }

    private static void requireSame(JsonFile config, String key, double used) {
        if (config.positiveNumber(used, key) != used) {
            throw config.unsupported(key, "this family's own keys say " + used);
        }
    }

    private static Positions.Rotary rotary(
            JsonFile config,
            Optional<JsonFile> parameters,
            int headDim,
            double fraction,
            double theta,
            int maxPositions) {
        long dimensions = (long) (headDim * fraction);
        if (dimensions < 2 || dimensions % 2 != 0 || dimensions > headDim) {
            throw new FormatException(
                    "%s: expected an even number of rotary dimensions from 2 to %d, got %d (head size %d × %s)"
                            .formatted(config.path(), headDim, dimensions, headDim, fraction));
        }
        double[] plain = plain((int) dimensions, theta);
        Positions.Rotary rotary = parameters.isPresent()
                ? scaled(parameters.get(), plain, theta, original(config, parameters.get(), maxPositions), maxPositions)
                : new Positions.Rotary((int) dimensions, false, plain, 1f, true);
        if (!Arrays.stream(rotary.inverseFrequencies()).allMatch(Double::isFinite) || !Float.isFinite(rotary.scale())) {
            throw new FormatException("%s: expected rotary parameters with finite frequencies, got others with base %s"
                    .formatted(config.path(), theta));
        }
        return rotary;
    }

    private static void refuseLayerTypes(JsonFile config, JsonFile parameters) {
        for (String key : List.of(FULL, SLIDING)) {
            if (parameters.has(key)) {
                throw config.unsupported("rope_parameters", "expected one rotation for all layers");
            }
        }
    }

    /// Maximum length before the scaling.
    private static double original(JsonFile config, JsonFile scaling, int maxPositions) {
        return config.has(ORIGINAL)
                ? config.positiveNumber(1, ORIGINAL)
                : scaling.positiveNumber(maxPositions, ORIGINAL);
    }

    /// `theta^(-2p / dimensions)` for each pair p.
    static double[] plain(int dimensions, double theta) {
        double[] frequencies = new double[dimensions / 2];
        for (int p = 0; p < frequencies.length; p++) {
            frequencies[p] = Math.pow(theta, -2.0 * p / dimensions);
        }
        return frequencies;
    }

    private static Positions.Rotary scaled(
            JsonFile scaling, double[] plain, double theta, double original, int maxPositions) {
        String type = type(scaling);
        int dimensions = plain.length * 2;
        return switch (type) {
            case "default" -> new Positions.Rotary(dimensions, false, plain, 1f, true);
            // As default, but beyond max_position_embeddings the frequencies depend on the sequence's
            // length.
            case "dynamic" -> new Positions.Rotary(dimensions, false, plain, 1f, false);
            case "linear" -> new Positions.Rotary(dimensions, false, linear(scaling, plain), 1f, true);
            case "llama3" -> new Positions.Rotary(dimensions, false, llama3(scaling, plain, original), 1f, true);
            case "yarn" -> yarn(scaling, plain, theta, original, maxPositions);
            default ->
                throw new UnsupportedModelException(
                        "%s: key \"rope_type\": %s is not supported (default, linear, dynamic, llama3, yarn are)"
                                .formatted(scaling.path(), Quoted.of(type)));
        };
    }

    /// LongRoPE (Ding et al. 2024, arXiv 2402.13753) with the factors for texts of at most `original`
    /// tokens.
    private static Positions.Rotary longRope(JsonFile scaling, double[] plain, double original, int maxPositions) {
        JsonNode factors = scaling.node("short_factor").orElse(null);
        if (factors == null || !factors.isArray() || factors.size() != plain.length) {
            throw scaling.wrong(
                    "short_factor",
                    "a list of " + plain.length + " factors",
                    factors == null ? MissingNode.getInstance() : factors);
        }
        double[] result = new double[plain.length];
        for (int p = 0; p < plain.length; p++) {
            double factor = factors.get(p).doubleValue();
            if (!(factor > 0) || Double.isInfinite(factor)) {
                throw scaling.wrong("short_factor", "positive numbers", factors.get(p));
            }
            result[p] = plain[p] / factor;
        }
        double factor = scaling.positiveNumber(maxPositions / original, "factor");
        double scale = scaling.has("attention_factor")
                ? scaling.positiveNumber(1, "attention_factor")
                : factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
        if (!Float.isFinite((float) scale)) {
            throw new FormatException(
                    "%s: expected a finite factor of attention with \"longrope\", got %s for %s of %d positions"
                            .formatted(scaling.path(), scale, original, maxPositions));
        }
        return new Positions.Rotary(plain.length * 2, false, result, (float) scale, false);
    }

    private static double[] linear(JsonFile scaling, double[] plain) {
        double factor = scaling.positiveNumber("factor");
        double[] result = new double[plain.length];
        for (int p = 0; p < plain.length; p++) {
            result[p] = plain[p] / factor;
        }
        return result;
    }

    private static double[] llama3(JsonFile scaling, double[] plain, double original) {
        double factor = scaling.positiveNumber("factor");
        double low = scaling.positiveNumber(1, "low_freq_factor");
        double high = scaling.positiveNumber(4, "high_freq_factor");
        double[] result = new double[plain.length];
        for (int p = 0; p < plain.length; p++) {
            double wavelength = 2 * Math.PI / plain[p];
            if (wavelength < original / high) {
                result[p] = plain[p];
            } else if (wavelength > original / low) {
                result[p] = plain[p] / factor;
            } else {
                double smooth = (original / wavelength - low) / (high - low);
                result[p] = (1 - smooth) * plain[p] / factor + smooth * plain[p];
            }
        }
        return result;
    }

    /// YaRN (Peng et al. 2023, arXiv 2309.00071).
    private static Positions.Rotary yarn(
            JsonFile scaling, double[] plain, double theta, double original, int maxPositions) {
        int dimensions = plain.length * 2;
        double factor = scaling.positiveNumber(maxPositions / original, "factor");
        double low = correctionDimension(scaling.positiveNumber(32, "beta_fast"), dimensions, theta, original);
        double high = correctionDimension(scaling.positiveNumber(1, "beta_slow"), dimensions, theta, original);
        if (scaling.bool("truncate", true)) {
            low = Math.floor(low);
            high = Math.ceil(high);
        }
        low = Math.max(low, 0);
        high = Math.min(high, dimensions - 1.0);
        double width = high == low ? 0.001 : high - low;
        double[] result = new double[plain.length];
        for (int p = 0; p < plain.length; p++) {
            double ramp = Math.clamp((p - low) / width, 0.0, 1.0);
            result[p] = plain[p] / factor * ramp + plain[p] * (1 - ramp);
        }
        return new Positions.Rotary(dimensions, false, result, (float) yarnAttentionFactor(scaling, factor), true);
    }

    private static double correctionDimension(double rotations, int dimensions, double theta, double positions) {
        return dimensions * Math.log(positions / (rotations * 2 * Math.PI)) / (2 * Math.log(theta));
    }

    private static double yarnAttentionFactor(JsonFile scaling, double factor) {
        if (scaling.has("attention_factor")) {
            return scaling.positiveNumber(1, "attention_factor");
        }
        if (nonZero(scaling, "mscale") && nonZero(scaling, "mscale_all_dim")) {
            return mscale(factor, scaling.positiveNumber(1, "mscale"))
                    / mscale(factor, scaling.positiveNumber(1, "mscale_all_dim"));
        }
        return mscale(factor, 1);
    }

    private static boolean nonZero(JsonFile scaling, String key) {
        return scaling.node(key).map(JsonNode::doubleValue).orElse(0.0) != 0.0;
    }

    private static double mscale(double factor, double mscale) {
        return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
    }
}
