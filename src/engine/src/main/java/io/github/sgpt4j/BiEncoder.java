package io.github.sgpt4j;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.checkpoint.Fingerprint;
import io.github.sgpt4j.checkpoint.SentenceModules;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.inference.EmbeddingSteps;
import io.github.sgpt4j.inference.TextEncoder;
import io.github.sgpt4j.inference.TokenPooling;
import io.github.sgpt4j.tokenizer.EncodedText;
import io.github.sgpt4j.weights.MappedFiles;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/// Embeds texts: SGPT-BE (Muennighoff 2022, arXiv 2202.08904, section 4).
///
/// A text is tokenized, cut to the model's length, run through the decoder, and its final hidden states
/// are pooled. Texts are used as they are: whitespace is not stripped. The pooled vector of a text
/// without any token (an empty one, for most models) is zero. Asymmetric models treat queries and
/// documents differently: "specb" models put brackets around them, others put prompts in front. Safe to
/// share between threads.
///
/// Embeddings are finite: if the model computes NaN or infinity, all methods that embed throw a
/// [FormatException][io.github.sgpt4j.error.FormatException] with the text and what to do about it.
///
/// Interrupting a thread ([Thread#interrupt], `Future.cancel(true)`, `ExecutorService.shutdownNow`)
/// ends its current call here with a [CancelledException][io.github.sgpt4j.error.CancelledException],
/// before the decoder's next layer, and the interrupt status stays set; no other call is affected, and
/// the encoder stays usable. If the status is already set before a call, the exception comes at once,
/// for an empty list too. An interrupt that comes after everything is computed only leaves the status
/// set. A [ProgressListener] may interrupt the thread that it is called on.
public final class BiEncoder implements AutoCloseable {
    private final Model model;
    private final boolean ownsModel;
    private final BiEncoderOptions options;
    private final TokenPooling pooling;
    private final EmbeddingSteps steps;
    private final TextEncoder encoder;
    private final MappedFiles files;
    private final TextReadings readings;
    private final int dimension;
    private final Similarity similarity;
    private volatile boolean closed;

    private BiEncoder(Model model, boolean ownsModel, BiEncoderOptions options) {
        Cancellation.ofThisThread("opening " + model.directory()).check();
        this.model = model;
        this.ownsModel = ownsModel;
        this.options = options;
        SentenceModules modules = model.modules();
        if (modules.scorePairs() && options.pooling().isEmpty()) {
            throw new UnsupportedModelException(
                    "%s: this model scores pairs of texts and has no pooling, so it does not embed: use CrossEncoder"
                            .formatted(model.directory()));
        }
        readings = TextReadings.of(model, options);
        similarity = options.similarity()
                .or(() -> modules.use().similarity().map(Similarity::parse))
                .orElse(Similarity.COSINE);
        pooling = TokenPooling.load(
                model.lanes(),
                modules,
                options.pooling().stream().map(Pooling::mode).toList(),
                model.checkpoint().json());
        try {
            steps = EmbeddingSteps.load(
                    model.backend(),
                    modules.steps(),
                    pooling.width(),
                    model.checkpoint().json());
        } catch (RuntimeException | Error e) {
            pooling.close();
            throw e;
        }
        files = MappedFiles.together(model.weights().mapped(), pooling.mapped(), steps.mapped());
        OptionalInt components = options.truncateDim().isPresent()
                ? options.truncateDim()
                : modules.use().truncateDim();
        dimension = Math.min(components.orElse(steps.width()), steps.width());
        try {
            requireDimensions();
            encoder = new TextEncoder(
                    model.lanes(),
                    model.tokenizer(),
                    pooling,
                    modules.includePrompt(),
                    steps,
                    maxLength(TextKind.TEXT));
        } catch (RuntimeException | Error e) {
            steps.close();
            pooling.close();
            throw e;
        }
    }

    private void requireDimensions() {
        if (options.exactDim() && options.truncateDim().orElse(0) > steps.width()) {
            throw new IllegalArgumentException("dimensions: expected 1 to %d, as the model %s has no more, got %d"
                    .formatted(
                            steps.width(),
                            model.directory(),
                            options.truncateDim().orElse(0)));
        }
    }

    /// Opens a checkpoint directory with default options; closing the encoder closes the model.
    public static BiEncoder open(Path directory) {
        return open(directory, ModelOptions.DEFAULT, BiEncoderOptions.DEFAULT);
    }

    /// Opens a checkpoint directory; closing the encoder closes the model.
    ///
    /// @throws IllegalArgumentException if [BiEncoderOptions#withDimensions] asks for more than the model has
    /// @throws io.github.sgpt4j.error.SgptException if a file is missing, broken or asks for something
    ///     unsupported, the device is unavailable, or this thread is interrupted
    public static BiEncoder open(Path directory, ModelOptions modelOptions, BiEncoderOptions options) {
        Model model = Model.open(directory, modelOptions);
        try {
            return model.madeWhileOpen(() -> new BiEncoder(model, true, options));
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }

    /// An encoder over a model that the caller owns and closes after the encoder.
    ///
    /// @throws IllegalArgumentException if [BiEncoderOptions#withDimensions] asks for more than the model has
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    public static BiEncoder of(Model model, BiEncoderOptions options) {
        return model.madeWhileOpen(() -> new BiEncoder(model, false, options));
    }

    /// Number of components of an embedding.
    public int dimension() {
        return dimension;
    }

    /// The similarity that embeddings are meant to be compared with: set by the options, otherwise by
    /// the checkpoint (`similarity_fn_name`), otherwise cosine.
    public Similarity similarity() {
        return similarity;
    }

    /// Maximum token ids of a [TextKind#TEXT], including special tokens and prompt.
    public int maxLength() {
        return maxLength(TextKind.TEXT);
    }

    /// Maximum token ids of a text of this kind, including special tokens, brackets and prompt.
    public int maxLength(TextKind kind) {
        return readings.of(kind).maxLength();
    }

    /// Embeds one text as it is.
    ///
    /// @return `[dimension]`
    public float[] embed(String text) {
        return embed(List.of(text))[0];
    }

    /// Embeds one query of a search.
    ///
    /// @return `[dimension]`
    public float[] embedQuery(String query) {
        return embed(List.of(query), TextKind.QUERY)[0];
    }

    /// Embeds one document to be searched.
    ///
    /// @return `[dimension]`
    public float[] embedDocument(String document) {
        return embed(List.of(document), TextKind.DOCUMENT)[0];
    }

    /// Similarity of two embeddings, by [#similarity()]; higher is more similar.
    ///
    /// @param a `[dimension]`
    /// @param b `[dimension]`
    public float similarity(float[] a, float[] b) {
        return similarity.of(a, b);
    }

    /// Similarity of every query to every document, by [#similarity()]; higher is more similar.
    ///
    /// @param queries `[queries][dimension]`
    /// @param documents `[documents][dimension]`
    /// @return `[queries][documents]`
    public float[][] similarities(float[][] queries, float[][] documents) {
        return similarity.matrix(queries, documents);
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

    /// Embeds texts of one kind and reports progress.
    ///
    /// @return `[texts][dimension]`, in the order of `texts`
    /// @throws io.github.sgpt4j.error.FormatException if a text is too long and the options say not to
    ///     cut it, an embedding contains NaN or infinity, or a weight file was modified since it was
    ///     opened
    /// @throws IllegalStateException if the encoder or its model is closed, before or during the call
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted, before or during
    ///     the call
    /// @throws NullPointerException if a text is null
    public float[][] embed(List<String> texts, TextKind kind, ProgressListener progress) {
        return compute(texts, kind, progress).vectors();
    }

    /// What users should know about embeddings of this model, in addition to [Model#notices]: one sentence each.
    public List<String> notices() {
        if (model.modules().poolingFile().isPresent() || !options.pooling().isEmpty()) {
            return List.of();
        }
        return ScoringPlan.trainedToScore(model)
                .map(source -> "%s: a re-ranker by %s: embeddings of its states may mean little"
                        .formatted(model.directory(), source))
                .stream()
                .toList();
    }

    /// Embeds texts with a prompt in front of each, in place of the prompts or brackets of a kind.
    ///
    /// @param prompt tokenized together with each text; empty for none
    /// @return `[texts][dimension]`, in the order of `texts`
    /// @throws io.github.sgpt4j.error.FormatException as [#embed(List, TextKind, ProgressListener)]
    public float[][] embedWithPrompt(String prompt, List<String> texts) {
        return compute(texts, readings.withPrompt(prompt), readings.tally(TextKind.TEXT), ProgressListener.NONE)
                .vectors();
    }

    /// As [#embed(List, TextKind, ProgressListener)], with the token counts of each text.
    ///
    /// @return one embedding per text, in the order of `texts`
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted, before or during
    ///     the call
    public List<Embedding> embeddings(List<String> texts, TextKind kind, ProgressListener progress) {
        return embeddings(compute(texts, kind, progress));
    }

    private static List<Embedding> embeddings(TextEncoder.Embedded embedded) {
        return IntStream.range(0, embedded.vectors().length)
                .mapToObj(i -> new Embedding(embedded.vectors()[i], embedded.tokens()[i], embedded.uncut()[i]))
                .toList();
    }

    /// Tokenizes a text of a kind, to be embedded later. A server can so form batches of many requests by
    /// their exact tokens ([TokenizedText#tokens]).
    ///
    /// @param cut what happens if the text is too long, whatever [BiEncoderOptions#truncate] says
    /// @throws io.github.sgpt4j.error.FormatException if the text is too long and is not to be cut
    /// @throws IllegalStateException if the encoder or its model is closed
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted, before or during
    ///     the call
    public TokenizedText tokenized(String text, TextKind kind, TextCut cut) {
        return tokenized(kind, readings.of(kind), cutting(text, cut));
    }

    /// As [#tokenized(String, TextKind, TextCut)], with a prompt in front of the text, in place of the
    /// prompt or brackets of a kind: for what [#embedWithPrompt] computes. It counts as a
    /// [TextKind#TEXT] in [#truncation].
    ///
    /// Where pooling leaves out prompts, it leaves out as many first tokens as the prompt has, also of a
    /// text that is cut on the left: the rule of sentence-transformers.
    ///
    /// @param prompt tokenized together with the text; empty for none
    public TokenizedText tokenizedWithPrompt(String prompt, String text, TextCut cut) {
        return tokenized(TextKind.TEXT, readings.withPrompt(prompt), cutting(text, cut));
    }

    /// As [#tokenized(String, TextKind, TextCut)], of a text that is given as token ids. They are used as
    /// they are: no special tokens are added, and those among the ids are cut like others. Brackets of
    /// the kind are put around them. If the kind has a prompt, the text of the ids without special tokens
    /// is tokenized again together with it, as text-embeddings-inference does.
    ///
    /// @param ids copied
    /// @throws IllegalArgumentException if an id is not one of the model's tokens
    public TokenizedText tokenizedIds(int[] ids, TextKind kind, TextCut cut) {
        int[] copy = ids.clone();
        return tokenized(kind, readings.of(kind), (reading, cancellation) -> {
            requireTokens(copy);
            return cut.check(
                    reading.framing().frame(model.tokenizer(), copy, reading.maxLength(), cut.side(), cancellation),
                    reading.maxLength());
        });
    }

    /// Tokenizes a text as [#embed(List, TextKind)] does: cut or refused as the options say.
    TokenizedText tokenized(String text, TextKind kind) {
        return tokenized(
                kind,
                readings.of(kind),
                (reading, cancellation) -> reading.encode(model.tokenizer(), text, cancellation));
    }

    /// How a text becomes ids.
    private interface Encoding {
        EncodedText encode(TextEncoder.Reading reading, Cancellation cancellation);
    }

    private Encoding cutting(String text, TextCut cut) {
        Objects.requireNonNull(text, "text");
        return (reading, cancellation) -> cut.check(
                reading.framing().encode(model.tokenizer(), text, reading.maxLength(), cut.side(), cancellation),
                reading.maxLength());
    }

    private TokenizedText tokenized(TextKind kind, TextEncoder.Reading reading, Encoding encoding) {
        requireOpen();
        Cancellation cancellation = Cancellation.ofThisThread("tokenizing a text");
        cancellation.check();
        return new TokenizedText(
                this, kind, encoding.encode(reading, cancellation), encoder.promptLength(reading.framing()));
    }

    private void requireTokens(int[] ids) {
        int rows = model.decoder().config().vocabulary();
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0 || ids[i] >= rows || !model.tokenizer().isToken(ids[i])) {
                throw new IllegalArgumentException(
                        "token ids: expected ids of tokens, at least 0 and below %d, got %d at index %d"
                                .formatted(Math.min(rows, model.tokenizer().vocabularySize()), ids[i], i));
            }
        }
    }

    /// Embeds texts that this encoder has tokenized, of any kinds together. The results are those of the
    /// methods that embed texts; on the CPU they are bit-identical.
    ///
    /// @return one embedding per text, in the order of `texts`
    /// @throws IllegalArgumentException if a text was tokenized by another encoder
    /// @throws io.github.sgpt4j.error.FormatException if an embedding contains NaN or infinity, with the
    ///     place of its text in the list, or a weight file was modified since it was opened
    /// @throws IllegalStateException if the encoder or its model is closed, before or during the call
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted, before or during
    ///     the call
    /// @throws NullPointerException if a text is null
    public List<Embedding> embedTokenized(List<TokenizedText> texts) {
        List<TokenizedText> copy = List.copyOf(texts);
        return embedTokenized(copy, FiniteResults.Names.ofPlaces("text", copy.size()));
    }

    /// As [#embedTokenized(List)].
    ///
    /// @param texts immutable
    /// @param names of the texts, for messages
    List<Embedding> embedTokenized(List<TokenizedText> texts, FiniteResults.Names names) {
        requireOpen();
        TokenizedText.requireAllFor(this, texts);
        TextEncoder.Embedded embedded = compute(TokenizedText.source(texts), names, ProgressListener.NONE);
        readings.count(texts);
        return embeddings(embedded);
    }

    private TextEncoder.Embedded compute(List<String> texts, TextKind kind, ProgressListener progress) {
        return compute(texts, readings.of(kind), readings.tally(kind), progress);
    }

    private TextEncoder.Embedded compute(
            List<String> texts, TextEncoder.Reading reading, TextReadings.Tally tally, ProgressListener progress) {
        requireOpen();
        List<String> copy = List.copyOf(texts);
        TextEncoder.Embedded embedded =
                compute(encoder.source(copy, reading), FiniteResults.Names.ofTexts(copy), progress);
        tally.add(embedded.tokens(), embedded.uncut());
        return embedded;
    }

    private TextEncoder.Embedded compute(
            TextEncoder.Source texts, FiniteResults.Names names, ProgressListener progress) {
        TextEncoder.Embedded embedded =
                Model.whileOpen(this::requireOpen, () -> files.reading(() -> encode(texts, progress)));
        float[][] vectors = embedded.vectors();
        FiniteResults finite = new FiniteResults(model);
        for (int i = 0; i < vectors.length; i++) {
            // As in sentence-transformers: after all modules, whether or not Normalize is among them.
            if (dimension < steps.width()) {
                vectors[i] = Arrays.copyOf(vectors[i], dimension);
            }
            finite.requireEmbedding(vectors[i], names, i);
            if (options.normalize()) {
                EmbeddingSteps.normalize(vectors[i]);
            }
        }
        return embedded;
    }

    private TextEncoder.Embedded encode(TextEncoder.Source texts, ProgressListener progress) {
        return encoder.embed(texts, batchTokens(), (done, total) -> {
            files.glance();
            progress.update(done, total);
        });
    }

    /// How many texts of a kind were cut since this encoder was created. Calls that ended with an
    /// exception do not count.
    public Truncation truncation(TextKind kind) {
        return readings.tally(kind).soFar();
    }

    /// Maximum tokens computed at the same time on a device.
    public int batchTokens() {
        return options.batchTokens().orElseGet(model::batchTokens);
    }

    /// The model that computes.
    public Model model() {
        return model;
    }

    /// Pooling modes in use; their results are concatenated.
    public List<Pooling> pooling() {
        return Pooling.of(pooling.modes());
    }

    /// Identifies everything that embeddings depend on: the checkpoint's contents
    /// ([Model#fingerprint]), pooling, modules, brackets or prompts, maximum length and scaling.
    /// Encoders with equal fingerprints give the same embeddings up to rounding. 32 hexadecimal digits.
    ///
    /// @throws IllegalStateException if the encoder or its model is closed
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    public String fingerprint() {
        requireOpen();
        SentenceModules modules = model.modules();
        Fingerprint fingerprint = new Fingerprint()
                .add(model.fingerprint())
                .add(pooling.modes().toString())
                .add("%s %s %d %s"
                        .formatted(modules.includePrompt(), modules.lowerCase(), maxLength(), options.normalize()));
        for (TextKind kind : TextKind.values()) {
            // Brackets and prompts appear in the ids of any text.
            fingerprint.add(kind.name()).add(tokenize("", kind)).add(tokenize("text", kind));
            if (maxLength(kind) != maxLength()) {
                fingerprint.add("length " + maxLength(kind));
            }
        }
        if (dimension < steps.width()) {
            fingerprint.add("dimension " + dimension);
        }
        for (Path folder : modules.tokenLayers()) {
            fingerprint.add("Dense before pooling").addModule(folder);
        }
        if (pooling.modes().isEmpty()) {
            modules.positionWeights()
                    .ifPresent(weights -> fingerprint.add("position weights").addModule(weights.directory()));
        }
        for (SentenceModules.Step step : modules.steps()) {
            switch (step) {
                case SentenceModules.Step.Normalize n -> fingerprint.add("Normalize");
                case SentenceModules.Step.Dense(Path folder) ->
                    fingerprint.add("Dense").addModule(folder);
            }
        }
        return fingerprint.hex();
    }

    /// Token ids as the decoder gets them for a text of a kind: cut, with special tokens, brackets or prompt.
    ///
    /// @throws IllegalStateException if the encoder or its model is closed
    public int[] tokenize(String text, TextKind kind) {
        requireOpen();
        return readings.of(kind)
                .framing()
                .encode(model.tokenizer(), text, maxLength(kind))
                .ids();
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
        pooling.close();
        if (ownsModel) {
            model.close();
        }
    }
}
