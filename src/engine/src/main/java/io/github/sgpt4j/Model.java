package io.github.sgpt4j;

import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.checkpoint.Checkpoint;
import io.github.sgpt4j.checkpoint.SentenceModules;
import io.github.sgpt4j.checkpoint.StrayTensors;
import io.github.sgpt4j.checkpoint.TokenizerFolder;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.inference.Background;
import io.github.sgpt4j.inference.Lanes;
import io.github.sgpt4j.model.AdaptedModel;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.model.family.Family;
import io.github.sgpt4j.tokenizer.Tokenizer;
import io.github.sgpt4j.weights.WeightScan;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/// An open checkpoint: tokenizer, mapped weights and the device that computes. One model may serve a
/// [BiEncoder] and a [CrossEncoder] at the same time, and both may be shared between threads.
///
/// Opening reads headers only; weights are read, and sent to a GPU, when first used. Closing releases
/// memory and threads; no computation may be running at that time, and encoders over the model throw
/// `IllegalStateException` afterwards.
///
/// As long as a model is open, its weight files must not change. Replace them by renaming new files
/// over them, which does not affect the open model; never write into them. A call that finds a file
/// modified, by its size or modification time, ends with a `FormatException` that names the file. So
/// does every later call, since the model may have read a mixture of old and new contents. Close it and
/// open it again.
///
/// Interrupting a thread that opens a model, or reads its weights through this class, ends the call
/// with a [CancelledException][io.github.sgpt4j.error.CancelledException]; the interrupt status stays
/// set, and the model stays usable. Tokenizing alone and closing are not cancelled.
public final class Model implements AutoCloseable {
    private final Path directory;
    private final Checkpoint checkpoint;
    private final List<String> fileNotices;
    private final Weights weights;
    private final Devices.Opened devices;
    private final Tokenizer tokenizer;
    private final Lanes lanes;
    private final Dtype dtype;
    private final int batchTokens;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Model(
            Checkpoint checkpoint,
            List<String> fileNotices,
            Weights weights,
            Devices.Opened devices,
            Tokenizer tokenizer,
            Lanes lanes,
            Dtype dtype) {
        directory = checkpoint.directory();
        this.checkpoint = checkpoint;
        this.fileNotices = fileNotices;
        this.weights = weights;
        this.devices = devices;
        this.tokenizer = tokenizer;
        this.lanes = lanes;
        this.dtype = dtype;
        batchTokens = lanes.usualBatchTokens(weights.elements());
    }

    /// Opens a checkpoint directory with the default options.
    public static Model open(Path directory) {
        return open(directory, ModelOptions.DEFAULT);
    }

    /// Opens a checkpoint directory in the layout of the Hugging Face hub: config.json, safetensors
    /// weights, tokenizer, and the module files of sentence-transformers if there are any. A LoRA
    /// adapter (adapter_config.json) is merged into its base model, which is in the same folder or
    /// given by [ModelOptions#withBaseModel].
    /// Trained tensors ([ModelOptions#withBiases]) replace some of the stored ones.
    ///
    /// @throws io.github.sgpt4j.error.SgptException if a file is missing, broken or asks for something
    ///     unsupported, the device is unavailable, or this thread is interrupted
    ///     ([CancelledException][io.github.sgpt4j.error.CancelledException]); nothing stays open in
    ///     that case
    public static Model open(Path directory, ModelOptions options) {
        return open(directory, options, (checkpoint, weights) -> weights);
    }

    /// As [#open(Path, ModelOptions)], with changed weights.
    ///
    /// @param change gives the weights to use, which own those of the checkpoint
    static Model open(Path directory, ModelOptions options, BiFunction<Checkpoint, Weights, Weights> change) {
        if (!Files.isDirectory(directory)) {
            throw new FormatException("%s: expected a model directory, %s"
                    .formatted(directory, Files.exists(directory) ? "got a file" : "found nothing"));
        }
        Cancellation cancellation = Cancellation.ofThisThread("opening " + directory);
        cancellation.check();
        // Read first, so that a broken configuration is reported before the weights are opened.
        Checkpoint checkpoint = Checkpoint.open(directory, options.baseModel(), options.biases());
        // The tokenizer's file takes longest to parse, so it is read in the background; so are the
        // tables of keys.
        try (Background<Tokenizer> tokenizer = Background.start(checkpoint::loadTokenizer, Model::inBackground);
                Background<List<String>> notices = Background.start(checkpoint::notices, Model::inBackground)) {
            return open(checkpoint, notices, options, tokenizer, change, cancellation);
        }
    }

    /// The base model that an adapter in a directory needs, as the adapter names it
    /// (`base_model_name_or_path`): a path or the name of a model on a hub, with `@` and the revision
    /// if one is stated. The caller decides whether to trust that name.
    ///
    /// @return empty if there is no adapter, or its base model is in the same folder
    /// @throws io.github.sgpt4j.error.SgptException if a file is broken, or the adapter is not supported
    public static Optional<String> neededBaseModel(Path directory) {
        return AdaptedModel.neededBase(TokenizerFolder.transformer(directory));
    }

    private static Model open(
            Checkpoint checkpoint,
            Background<List<String>> notices,
            ModelOptions options,
            Background<Tokenizer> tokenizer,
            BiFunction<Checkpoint, Weights, Weights> change,
            Cancellation cancellation) {
        Weights weights = change(checkpoint, change);
        try {
            boolean fitsHalf = Family.of(checkpoint.configuration()).fitsHalf();
            Devices.Opened devices = Devices.open(options, weights.elements(), fitsHalf);
            try {
                List<Decoder> decoders = weights.mapped()
                        .reading(() -> devices.backends().stream()
                                .map(backend -> Decoder.load(checkpoint.configuration(), weights, backend))
                                .toList());
                return new Model(
                        checkpoint,
                        notices.result(cancellation),
                        weights,
                        devices,
                        tokenizer.result(cancellation),
                        new Lanes(decoders),
                        options.dtype());
            } catch (RuntimeException | Error e) {
                devices.backends().forEach(Backend::close);
                throw e;
            }
        } catch (RuntimeException | Error e) {
            weights.close();
            throw e;
        }
    }

    private static Weights change(Checkpoint checkpoint, BiFunction<Checkpoint, Weights, Weights> change) {
        Weights stored = checkpoint.openWeights();
        try {
            return change.apply(checkpoint, stored);
        } catch (RuntimeException | Error e) {
            stored.close();
            throw e;
        }
    }

    private static void inBackground(Runnable task) {
        Thread.ofPlatform().daemon().name("sgpt4j-open").start(task);
    }

    /// Token ids of a text, uncut.
    ///
    /// @param text not null; an unpaired surrogate counts as U+FFFD
    /// @param specialTokens whether to add the tokenizer's special tokens
    /// @throws IllegalStateException if the model is closed
    public int[] tokenize(String text, boolean specialTokens) {
        requireOpen();
        return tokenizer.encode(text, specialTokens);
    }

    /// The tokens of a text, uncut, with their places in it. The ids are those of [#tokenize]; that is
    /// several times faster where places do not matter.
    ///
    /// @param text not null; an unpaired surrogate counts as U+FFFD
    /// @param specialTokens whether to add the tokenizer's special tokens, which have no place
    /// @throws IllegalStateException if the model is closed
    public List<Token> tokens(String text, boolean specialTokens) {
        requireOpen();
        return Token.of(tokenizer, text, specialTokens);
    }

    /// The text of token ids, special tokens included. Ids without a token are ignored.
    ///
    /// @throws IllegalArgumentException if an id is negative
    /// @throws IllegalStateException if the model is closed
    public String detokenize(int[] ids) {
        requireOpen();
        return tokenizer.decode(ids, false);
    }

    /// The text of token ids.
    ///
    /// @param skipSpecialTokens whether to leave special tokens out
    /// @throws IllegalArgumentException if an id is not one of the model's tokens
    /// @throws IllegalStateException if the model is closed
    public String detokenize(int[] ids, boolean skipSpecialTokens) {
        requireOpen();
        for (int i = 0; i < ids.length; i++) {
            if (!tokenizer.isToken(ids[i])) {
                throw new IllegalArgumentException(
                        "token ids: expected ids of tokens, at least 0 and below %d, got %d at index %d"
                                .formatted(tokenizer.vocabularySize(), ids[i], i));
            }
        }
        return tokenizer.decode(ids, skipSpecialTokens);
    }

    /// Facts about the checkpoint.
    ///
    /// @throws IllegalStateException if the model is closed
    public ModelInfo info() {
        return whileOpen(() -> ModelInfo.of(this));
    }

    /// Identifies the checkpoint's contents, independent of its location: 32 hexadecimal digits from
    /// its configuration, tokenizer and weights. Only parts of large tensors are read, so it takes a
    /// fraction of a second for any size. Device and data type do not enter: they change results by
    /// rounding only.
    ///
    /// @throws IllegalStateException if the model is closed
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    public String fingerprint() {
        Cancellation cancellation = Cancellation.ofThisThread("reading the weights of " + directory);
        return whileOpen(() -> checkpoint.fingerprint(weights, cancellation));
    }

    /// All stored tensors, including unused ones: the decoder's by name, then those of modules.
    ///
    /// @throws IllegalStateException if the model is closed
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    public List<TensorInfo> tensors() {
        return ofTensors(tensor -> Optional.of(info(tensor)));
    }

    /// Checks every number of the F32, F16 and BF16 tensors, which reads the whole checkpoint. Uses all
    /// processors and little memory.
    ///
    /// @return in the order of [#tensors]
    /// @throws IllegalStateException if the model is closed
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted, before or
    ///     during the call
    public List<TensorStatistics> scan() {
        return ofTensors(tensor -> tensor.dtype().isWeight() ? Optional.of(statistics(tensor)) : Optional.empty());
    }

    /// Memory that embedding needs, for every device and every type of weights. The figures for the CPU
    /// are those of this machine: with a matrix unit, each weight takes 3 bytes.
    ///
    /// @param tokens tokens computed at the same time, see [BiEncoderOptions#batchTokens]
    /// @throws IllegalStateException if the model is closed
    public List<MemoryNeed> memoryNeeds(int tokens) {
        requireOpen();
        if (tokens < 1) {
            throw new IllegalArgumentException("tokens: expected at least 1, got " + tokens);
        }
        return whileOpen(() -> MemoryEstimate.of(checkpoint, weights, tokens, ScoringPlan.readsFewRows(this)));
    }

    private <T> List<T> ofTensors(Function<WeightTensor, Optional<T>> fact) {
        List<T> facts = new ArrayList<>();
        Cancellation cancellation = Cancellation.ofThisThread("reading the weights of " + directory);
        return whileOpen(() -> {
            forEachTensor(cancellation, tensor -> fact.apply(tensor).ifPresent(facts::add));
            return facts;
        });
    }

    private void forEachTensor(Cancellation cancellation, Consumer<WeightTensor> action) {
        weights.names().forEach(name -> {
            cancellation.check();
            action.accept(weights.get(name));
        });
        for (Path folder : modules().weightFolders()) {
            try (Weights module = Weights.open(folder)) {
                module.mapped().reading(() -> {
                    module.names().forEach(name -> {
                        cancellation.check();
                        action.accept(module.get(name));
                    });
                    return module;
                });
            }
        }
    }

    private static TensorInfo info(WeightTensor tensor) {
        return new TensorInfo(
                tensor.name(),
                tensor.dtype().name(),
                Arrays.stream(tensor.shape().toArray()).boxed().toList(),
                tensor.shape().elements(),
                tensor.data().byteSize(),
                Path.of(tensor.file()));
    }

    private static TensorStatistics statistics(WeightTensor tensor) {
        WeightScan.Statistics s = WeightScan.statistics(tensor);
        OptionalLong first = s.nan() + s.infinite() == 0 ? OptionalLong.empty() : WeightScan.firstNonFinite(tensor);
        return new TensorStatistics(info(tensor), s.nan(), s.infinite(), s.min(), s.max(), s.absMax(), first);
    }

    /// The checkpoint's directory.
    public Path directory() {
        return directory;
    }

    /// Short name of the devices that compute: `cpu`, `cuda:0`, `cuda:0,1`.
    public String device() {
        String first = backend().name();
        return devices.backends().stream()
                .skip(1)
                .map(backend -> backend.name().substring(backend.name().indexOf(':') + 1))
                .reduce(first, (all, number) -> all + "," + number);
    }

    /// Type of the weights in memory, as the options asked for it.
    public Dtype dtype() {
        return dtype;
    }

    /// As [#dtype], but where that is [Dtype#AUTO] on a GPU, the type that it chose. On the CPU,
    /// [Dtype#AUTO] stays: its arithmetic has 32 bits, whatever the weights have.
    public Dtype dtypeInUse() {
        return devices.inUse(dtype);
    }

    /// Most tokens that encoders compute at the same time on each device unless their options say otherwise: 4,096 on
    /// the CPU; on a GPU up to 16,384, fewer on small devices and where little memory was free when the model was
    /// opened.
    public int batchTokens() {
        return batchTokens;
    }

    /// Why `auto` chose the CPU although this machine seems to have a GPU, or empty.
    public Optional<String> deviceNotice() {
        return devices.notice();
    }

    /// What users should know about events during computation that change no result, such as damaged
    /// cache files that were rebuilt. One sentence each; empty for most models, and before first use.
    /// May be called after closing as well.
    public List<String> noticesInUse() {
        return devices.noticesInUse();
    }

    /// The probable cause of NaN or infinity and what to do about it, as the end of a sentence: with
    /// 16-bit weights, numbers beyond the range of the type; otherwise broken weights. Encoders append
    /// it to the message of the exception.
    public String nonFiniteHint() {
        if (dtype == Dtype.FP16) {
            return "with dtype fp16, numbers end at 65504: use dtype bf16 or fp32";
        }
        return devices.areHalf()
                ? "with dtype fp16, the default of this device, numbers end at 65504: use dtype fp32"
                : "Model.scan finds broken weights";
    }

    /// What users should know about how the checkpoint's files are interpreted: what in them is
    /// unknown, ignored, or read differently than by other software. One sentence each, with the file;
    /// empty for most checkpoints.
    public List<String> notices() {
        List<String> notices = new ArrayList<>(fileNotices);
        notices.addAll(weights.notices());
        StrayTensors.notice(checkpoint.layout(weights.names()), weights).ifPresent(notices::add);
        notices.addAll(tokenizer.notices());
        textLength().notice().ifPresent(notices::add);
        return notices;
    }

    Checkpoint checkpoint() {
        return checkpoint;
    }

    SentenceModules modules() {
        return checkpoint.modules();
    }

    Weights weights() {
        return weights;
    }

    /// The first device.
    Backend backend() {
        return devices.backends().getFirst();
    }

    /// The decoder on every device.
    Lanes lanes() {
        return lanes;
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    /// The decoder on the first device.
    Decoder decoder() {
        return lanes.decoders().getFirst();
    }

    /// The maximum length of a text to embed.
    TextLength textLength() {
        return TextLength.of(decoder().config(), modules(), tokenizer);
    }

    /// Maximum tokens of a text to embed.
    int maxLength() {
        return textLength().tokens();
    }

    /// As [#maxLength()], for a kind of text.
    ///
    /// @param ofKind the maximum that the checkpoint states for texts of this kind, if any
    int maxLength(OptionalInt ofKind) {
        return ofKind.isPresent()
                ? TextLength.limited(ofKind.getAsInt(), decoder().config(), modules())
                : maxLength();
    }

    void requireOpen() {
        if (closed.get()) {
            throw new IllegalStateException("model " + directory + " is closed");
        }
    }

    /// Computes with this model, unless it is already closed. If closing it meanwhile makes the
    /// computation fail, the exception says so.
    <T> T whileOpen(Supplier<T> computation) {
        requireOpen();
        return whileOpen(this::requireOpen, () -> weights.mapped().reading(computation::get));
    }

    /// Creates an object over this model, unless it is already closed. If closing it meanwhile makes
    /// that fail, the exception says so.
    <T> T madeWhileOpen(Supplier<T> maker) {
        requireOpen();
        return whileOpen(this::requireOpen, () -> weights.mapped().opening(maker::get));
    }

    /// Computes. If closing meanwhile makes the computation fail, the exception says so, instead of
    /// naming the memory that was being read.
    ///
    /// @param requireOpen throws if the encoder or its model is closed
    static <T> T whileOpen(Runnable requireOpen, Supplier<T> computation) {
        try {
            return computation.get();
        } catch (IllegalStateException e) {
            try {
                requireOpen.run();
            } catch (IllegalStateException closedMeanwhile) {
                closedMeanwhile.addSuppressed(e);
                throw closedMeanwhile;
            }
            throw e;
        }
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            try {
                devices.backends().forEach(Backend::close);
            } finally {
                weights.close();
            }
        }
    }
}
