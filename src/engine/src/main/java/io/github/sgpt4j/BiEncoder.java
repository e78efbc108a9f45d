package io.github.sgpt4j;

import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.scoring.EmbeddingSteps;
import io.github.sgpt4j.scoring.SentenceModules;
import io.github.sgpt4j.scoring.TextEncoder;
import io.github.sgpt4j.scoring.TextFraming;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Embeds texts: SGPT-BE (Muennighoff 2022, arXiv 2202.08904, section 4).
///
/// A text is tokenized, cut to the model's length, run through the decoder, and its final hidden states are
/// pooled. Texts are used as they are, not stripped. A text without any token (an empty one, for most models)
/// gives the pooled vector zero. Asymmetric models treat queries and documents differently: "specb" models put
/// brackets around them, others put prompts in front. Safe to share between threads.
public final class BiEncoder implements AutoCloseable {
    private final Model model;
    private final boolean ownsModel;
    private final BiEncoderOptions options;
    private final EmbeddingSteps steps;
    private final TextEncoder encoder;
    private final Map<TextKind, TextFraming> framings;
    private volatile boolean closed;

    private BiEncoder(Model model, boolean ownsModel, BiEncoderOptions options) {
        this.model = model;
        this.ownsModel = ownsModel;
        this.options = options;
        SentenceModules modules = model.modules();
        List<PoolMode> modes = options.pooling().isEmpty()
                ? modules.modes()
                : options.pooling().stream().map(Pooling::mode).toList();
        framings = framings(model, options);
        int maxLength = maxLength(model, options, framings);
        steps = EmbeddingSteps.load(
                model.backend(), modules.steps(), modes.size() * model.decoder().width());
        try {
            encoder =
                    new TextEncoder(model.lanes(), model.tokenizer(), modes, modules.includePrompt(), steps, maxLength);
        } catch (RuntimeException | Error e) {
            steps.close();
            throw e;
        }
    }

    /// Opens a checkpoint directory with default options; closing the encoder closes the model.
    public static BiEncoder open(Path directory) {
        return open(directory, ModelOptions.DEFAULT, BiEncoderOptions.DEFAULT);
    }

    /// Opens a checkpoint directory; closing the encoder closes the model.
    ///
    /// @throws io.github.sgpt4j.error.SgptException if a file is missing, broken or asks for something
    ///     unsupported, or the device cannot be had
    public static BiEncoder open(Path directory, ModelOptions modelOptions, BiEncoderOptions options) {
        Model model = Model.open(directory, modelOptions);
        try {
            return new BiEncoder(model, true, options);
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }

    /// An encoder over a model that the caller owns and closes after it.
    public static BiEncoder of(Model model, BiEncoderOptions options) {
        return model.whileOpen(() -> new BiEncoder(model, false, options));
    }

    /// Most tokens of a text, which must leave room for special tokens and brackets.
    private static int maxLength(Model model, BiEncoderOptions options, Map<TextKind, TextFraming> framings) {
        int fewest = framings.values().stream()
                .mapToInt(f -> f.fewest(model.tokenizer()))
                .max()
                .orElse(0);
        if (options.maxLength() > 0) {
            if (options.maxLength() < fewest) {
                throw new IllegalArgumentException(
                        "maximal length %d: expected at least %d, for special tokens and brackets"
                                .formatted(options.maxLength(), fewest));
            }
            return options.maxLength();
        }
        if (model.maxLength() < fewest) {
            throw new FormatException(
                    "%s: expected a length (max_seq_length, model_max_length, positions) of at least %d, for special tokens and brackets, got %d"
                            .formatted(model.modules().transformer(), fewest, model.maxLength()));
        }
        return model.maxLength();
    }

    private static Map<TextKind, TextFraming> framings(Model model, BiEncoderOptions options) {
        Tokenizer tokenizer = model.tokenizer();
        if (options.specb().orElse(ModelName.isSpecb(model.directory()))) {
            return Map.of(
                    TextKind.TEXT, new TextFraming.Plain(),
                    TextKind.QUERY, TextFraming.queryBrackets(tokenizer),
                    TextKind.DOCUMENT, TextFraming.documentBrackets(tokenizer));
        }
        SentenceModules modules = model.modules();
        return Map.of(
                TextKind.TEXT, prompt(modules, modules.defaultPrompt().stream().toList()),
                TextKind.QUERY, prompt(modules, List.of("query")),
                TextKind.DOCUMENT, prompt(modules, List.of("document", "passage", "corpus")));
    }

    /// The first of the named prompts that the checkpoint has, otherwise none. As in sentence-transformers, the
    /// default prompt is for texts of no kind only.
    private static TextFraming prompt(SentenceModules modules, List<String> names) {
        for (String name : names) {
            Optional<String> text = Optional.ofNullable(modules.prompts().get(name));
            if (text.isPresent()) {
                return text.get().isEmpty() ? new TextFraming.Plain() : new TextFraming.Prompt(text.get());
            }
        }
        return new TextFraming.Plain();
    }

    /// Components of an embedding.
    public int dimension() {
        return steps.width();
    }

    /// Embeds one text as it is.
    ///
    /// @return `[dimension]`
    public float[] embed(String text) {
        return embed(List.of(text))[0];
    }

    /// Embeds texts as they are.
    ///
    /// @return `[texts][dimension]`, in the order of `texts`
    public float[][] embed(List<String> texts) {
        return embed(texts, TextKind.TEXT);
    }

    /// Embeds queries of a search.
    ///
    /// @return `[queries][dimension]`, in the order of `queries`
    public float[][] embedQueries(List<String> queries) {
        return embed(queries, TextKind.QUERY);
    }

    /// Embeds documents to be searched.
    ///
    /// @return `[documents][dimension]`, in the order of `documents`
    public float[][] embedDocuments(List<String> documents) {
        return embed(documents, TextKind.DOCUMENT);
    }

    /// Embeds texts of one kind.
    ///
    /// @return `[texts][dimension]`, in the order of `texts`
    public float[][] embed(List<String> texts, TextKind kind) {
        return embed(texts, kind, ProgressListener.NONE);
    }

    /// Embeds texts of one kind and tells how far it is.
    ///
    /// @return `[texts][dimension]`, in the order of `texts`
    /// @throws IllegalStateException if the encoder or its model is closed, before the call or meanwhile
    /// @throws NullPointerException if a text is null
    public float[][] embed(List<String> texts, TextKind kind, ProgressListener progress) {
        requireOpen();
        TextFraming framing = framings.getOrDefault(kind, new TextFraming.Plain());
        List<String> copy = List.copyOf(texts);
        float[][] vectors = Model.whileOpen(
                this::requireOpen, () -> encoder.embed(copy, framing, options.batchTokens(), progress::update));
        if (options.normalize()) {
            for (float[] vector : vectors) {
                EmbeddingSteps.normalize(vector);
            }
        }
        return vectors;
    }

    /// The model that computes.
    public Model model() {
        return model;
    }

    /// Pooling modes in use, results concatenated.
    public List<Pooling> pooling() {
        return encoder.modes().stream().map(Pooling::of).toList();
    }

    /// Stands for what embeddings depend on: the checkpoint's contents ([Model#fingerprint]) and how it is used,
    /// with pooling, modules, brackets or prompts, length and scaling. Encoders of equal fingerprints give the
    /// same embeddings but for rounding; 32 hexadecimal digits.
    ///
    /// @throws IllegalStateException if the encoder or its model is closed
    public String fingerprint() {
        requireOpen();
        SentenceModules modules = model.modules();
        Fingerprint fingerprint = new Fingerprint()
                .add(model.fingerprint())
                .add(encoder.modes().toString())
                .add("%s %s %d %s"
                        .formatted(
                                modules.includePrompt(),
                                modules.lowerCase(),
                                encoder.maxLength(),
                                options.normalize()));
        for (TextKind kind : TextKind.values()) {
            // Brackets and prompts show in the ids of any text.
            fingerprint.add(kind.name()).add(tokenize("", kind)).add(tokenize("text", kind));
        }
        for (SentenceModules.Step step : modules.steps()) {
            switch (step) {
                case SentenceModules.Step.Normalize n -> fingerprint.add("Normalize");
                case SentenceModules.Step.Dense(Path folder) ->
                    fingerprint.add("Dense").addDense(folder);
            }
        }
        return fingerprint.hex();
    }

    /// Token ids as the decoder gets them for a text of a kind: cut, with special tokens, brackets or prompt.
    ///
    /// @throws IllegalStateException if the encoder or its model is closed
    public int[] tokenize(String text, TextKind kind) {
        requireOpen();
        return framings.getOrDefault(kind, new TextFraming.Plain())
                .encode(model.tokenizer(), text, encoder.maxLength());
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("bi-encoder over " + model.directory() + " is closed");
        }
        model.requireOpen();
    }

    /// Closes the model if this encoder opened it. Closing again does nothing.
    @Override
    public void close() {
        closed = true;
        steps.close();
        if (ownsModel) {
            model.close();
        }
    }
}
