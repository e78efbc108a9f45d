package io.github.sgpt4j.checkpoint;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.AdaptedModel;
import io.github.sgpt4j.model.DecoderLayout;
import io.github.sgpt4j.model.StoredNames;
import io.github.sgpt4j.model.family.Family;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weights.ExpectedTensor;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/// The tensors of a base model that training changed, in a file of their own: `biases.safetensors`.
///
/// The file holds only these tensors, as 32-bit floats, under the names that the base model stores them
/// with, or with another prefix of its family. Its metadata say what they belong to and how they were
/// trained: `base` (the base model's fingerprint), `pooling` (names of modes, joined by `+`), `specb`
/// (`true` or `false`), `max_length` (tokens) and, for people, `method`.
///
/// @param file the file
/// @param base fingerprint of the base model
/// @param settings how texts become embeddings
/// @param metadata all strings in the header
public record Biases(Path file, String base, TrainedSettings settings, Map<String, String> metadata) {
    private static final String BASE = "base";
    private static final String METHOD = "method";
    private static final String FINGERPRINT = "[0-9a-f]{32}";

    public Biases {
        metadata = Map.copyOf(metadata);
    }

    /// Reads the header of a file.
    ///
    /// @throws FormatException if it is missing, broken, or not a file of trained tensors
    static Biases read(Path file) {
        try (Weights trained = Weights.openFile(file)) {
            return read(file, trained.metadata());
        }
    }

    private static Biases read(Path file, Map<String, String> metadata) {
        String base = TrainedSettings.text(file, metadata, BASE);
        if (!base.matches(FINGERPRINT)) {
            throw TrainedSettings.wrong(file, BASE, "a fingerprint of 32 hexadecimal digits", base);
        }
        return new Biases(file, base, TrainedSettings.read(file, metadata), metadata);
    }

    /// Writes a file, under a temporary name first: a failure leaves the previous file in place.
    ///
    /// @param base fingerprint of the base model, without the trained tensors
    /// @param method how they were trained, for people, such as `bitfit`
    /// @param trained 32-bit floats, under the names that the base model stores them with; borrowed
    /// @throws IOException if writing fails
    /// @throws IllegalArgumentException if `base` is no fingerprint, there are no tensors, two have one
    ///     name, or one is of another type
    public static void write(
            Path file, String base, TrainedSettings settings, String method, List<WeightTensor> trained)
            throws IOException {
        if (!base.matches(FINGERPRINT) || trained.isEmpty()) {
            throw new IllegalArgumentException("expected a fingerprint and trained tensors, got \"%s\" and %d tensors"
                    .formatted(base, trained.size()));
        }
        SafetensorsWriter writer = new SafetensorsWriter().metadata(BASE, base).metadata(METHOD, method);
        settings.metadata().forEach(writer::metadata);
        for (WeightTensor tensor : trained) {
            if (tensor.dtype() != ElementType.F32) {
                throw new IllegalArgumentException(
                        "tensor %s: expected F32, got %s".formatted(tensor.name(), tensor.dtype()));
            }
            writer.add(tensor);
        }
        writer.write(file);
    }

    /// A checkpoint's modules, with the trained settings instead of its own.
    SentenceModules modules(SentenceModules own) {
        return new SentenceModules(
                own.transformer(),
                new TransformerSettings(
                        file,
                        OptionalInt.of(settings.maxLength()),
                        TrainedSettings.MAX_LENGTH,
                        OptionalInt.empty(),
                        OptionalInt.empty(),
                        own.lowerCase()),
                own.tokenLayers(),
                settings.modes(),
                Optional.empty(),
                Optional.of(file),
                own.includePrompt(),
                own.steps(),
                own.use()
                        .withSpecb(new SpecialBrackets(
                                settings.specb(), "\"%s\" of %s".formatted(TrainedSettings.SPECB, name()))));
    }

    private String name() {
        return String.valueOf(file.getFileName());
    }

    /// What users should know: keys that are not read, and where a checkpoint states other settings than the
    /// trained ones, which are followed. One sentence each.
    ///
    /// @param own the checkpoint's modules
    /// @param name what its name says about brackets
    List<String> notices(SentenceModules own, SpecialBrackets name) {
        List<String> notices = new ArrayList<>();
        KeyTable table = KeyTable.read("biases", "");
        KeyCheck.Unknown unknown = new KeyCheck.Unknown("key");
        metadata.keySet().stream()
                .sorted()
                .filter(key -> table.rule(key).isEmpty())
                .forEach(unknown::add);
        unknown.notice(file).ifPresent(notices::add);
        boolean samePooling = own.modes().equals(settings.modes());
        own.poolingFile()
                .filter(stated -> !samePooling)
                .ifPresent(stated -> notices.add("%s: pooling is %s, not %s as in %s"
                        .formatted(
                                file,
                                settings.pooling(),
                                own.modes().isEmpty() ? "by learnt weights" : TrainedSettings.joined(own.modes(), ", "),
                                stated)));
        TransformerSettings input = own.input();
        for (OptionalInt length : List.of(input.maxLength(), input.queryLength(), input.documentLength())) {
            if (length.isPresent() && length.getAsInt() != settings.maxLength()) {
                notices.add("%s: texts are cut to %d tokens, not to %d as in %s"
                        .formatted(file, settings.maxLength(), length.getAsInt(), input.file()));
            }
        }
        SpecialBrackets brackets = own.use().specb().orElse(name);
        boolean stated = brackets.used() || own.use().specb().isPresent();
        if (stated && brackets.used() != settings.specb()) {
            notices.add("%s: queries and documents get %s brackets, unlike those of the base model: %s"
                    .formatted(file, settings.specb() ? "special" : "no special", brackets.source()));
        }
        return notices;
    }

    /// A base model's weights with the trained tensors instead of its own.
    ///
    /// @param weights of the base model; closed with the result, or if this fails
    /// @param files of the base model
    /// @param configuration its `config.json`
    /// @throws FormatException if the file belongs to another model, or does not fit this one
    /// @throws UnsupportedModelException if a tensor is of another type
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    Weights over(Weights weights, AdaptedModel files, JsonFile configuration) {
        try {
            requireBase(weights, files);
            Weights trained = Weights.openFile(file);
            try {
                if (!trained.metadata().equals(metadata)) {
                    throw new FormatException(
                            "%s: expected one file, got two: it was replaced meanwhile".formatted(file));
                }
                return Weights.overlaid(weights, trained, memory -> replacements(weights, trained, configuration));
            } catch (RuntimeException | Error e) {
                trained.close();
                throw e;
            }
        } catch (RuntimeException | Error e) {
            weights.close();
            throw e;
        }
    }

    private void requireBase(Weights weights, AdaptedModel files) {
        Cancellation cancellation = Cancellation.ofThisThread("reading the weights of " + files.folder());
        String found = weights.mapped().reading(() -> Fingerprint.ofCheckpoint(files, weights, cancellation));
        if (!found.equals(base)) {
            throw new FormatException(
                    "%s: expected the base model that its tensors were trained on, got %s, whose weights, tokenizer or configuration differ (fingerprint %s, expected %s)"
                            .formatted(file, files.folder(), found, base));
        }
    }

    private Map<String, WeightTensor> replacements(Weights weights, Weights trained, JsonFile configuration) {
        for (String name : trained.unknownNames()) {
            trained.get(name);
        }
        if (trained.names().isEmpty()) {
            throw new FormatException("%s: expected trained tensors, found none".formatted(file));
        }
        StoredNames names = new StoredNames(Family.of(configuration).names().prefixes(), weights::contains);
        Set<String> used = DecoderLayout.read(configuration, weights.names()).decoder().stream()
                .map(ExpectedTensor::name)
                .collect(Collectors.toSet());
        Map<String, WeightTensor> replacements = new HashMap<>();
        for (String name : trained.names()) {
            WeightTensor tensor = trained.get(name);
            String stored = names.find(name)
                    .filter(used::contains)
                    .orElseThrow(() ->
                            new FormatException("%s: tensor %s: expected a tensor that the base model uses, found none"
                                    .formatted(file, Quoted.of(name))));
            if (replacements.containsKey(stored)) {
                throw new FormatException("%s: tensor %s: expected each tensor of the base model once, got %s twice"
                        .formatted(file, Quoted.of(name), Quoted.of(stored)));
            }
            replacements.put(stored, checked(tensor, weights.get(stored)));
        }
        return replacements;
    }

    /// The trained tensor, under the name of the one that it replaces.
    private WeightTensor checked(WeightTensor tensor, WeightTensor replaced) {
        if (tensor.dtype() != ElementType.F32) {
            throw new UnsupportedModelException(
                    "%s: tensor %s: expected F32, got %s".formatted(file, Quoted.of(tensor.name()), tensor.dtype()));
        }
        if (!tensor.shape().equals(replaced.shape())) {
            throw new FormatException("%s: tensor %s: expected shape %s as in the base model, got %s"
                    .formatted(file, Quoted.of(tensor.name()), replaced.shape(), tensor.shape()));
        }
        return new WeightTensor(replaced.name(), tensor.file(), tensor.dtype(), tensor.shape(), tensor.data());
    }
}
