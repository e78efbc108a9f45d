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
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/// An open checkpoint: tokenizer, mapped weights and the device they are computed on. One model may serve a
/// [BiEncoder] and a [CrossEncoder] at the same time, and both may be shared between threads.
///
/// Opening reads headers only; weights are read, and sent to a GPU, when first used. Closing gives memory and threads
/// back; nothing may be computing then, and encoders made from the model throw `IllegalStateException` afterwards.
///
/// As long as a model is open, its weight files must stay as they are: replace them by renaming others
/// over them, which the open model does not see, and never write into them. A call that finds a file
/// written to, by its size or time of modification, ends with a `FormatException` that names the file;
/// so does every further one, as what the model has read may be a mixture of both contents. Close it,
/// and open it again.
///
/// Interrupting a thread that opens a model, or that reads its weights here, ends the call with a
/// [CancelledException][io.github.sgpt4j.error.CancelledException]; the interrupt status stays set, and the model
/// stays usable. Tokenizing by itself and closing are not cancelled.
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

    /// Opens a checkpoint directory as Hugging Face hubs hold it: config.json, safetensors weights, tokenizer, and
    /// the module files of sentence-transformers if there are any. A LoRA adapter (adapter_config.json) is
    /// merged into its base model, which lies in the same folder or is named by [ModelOptions#withBaseModel].
    ///
    /// @throws io.github.sgpt4j.error.SgptException if a file is missing, broken or asks for something
    ///     unsupported, the device is unavailable, or this thread is interrupted
    ///     ([CancelledException][io.github.sgpt4j.error.CancelledException]); nothing stays open then
    public static Model open(Path directory, ModelOptions options) {
        if (!Files.isDirectory(directory)) {
            throw new FormatException("%s: expected a model directory, %s"
                    .formatted(directory, Files.exists(directory) ? "got a file" : "found nothing"));
        }
        Cancellation cancellation = Cancellation.ofThisThread("opening " + directory);
        cancellation.check();
        // Read first: a broken configuration is reported before the weights are looked at.
        Checkpoint checkpoint = Checkpoint.open(directory, options.baseModel());
        // The tokenizer's file is the largest to parse, so it is read beside everything else; so are the tables of
        // keys.
        try (Background<Tokenizer> tokenizer = Background.start(checkpoint::loadTokenizer, Model::inBackground);
                Background<List<String>> notices = Background.start(checkpoint::notices, Model::inBackground)) {
            return open(checkpoint, notices, options, tokenizer, cancellation);
        }
    }

    /// The base model that an adapter in a directory needs: a path or the name of a hub's model, with `@` and the
    /// revision if one is stated, as the adapter names it (`base_model_name_or_path`). Whoever opens the
    /// model decides whether to trust that.
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
            Cancellation cancellation) {
        Weights weights = checkpoint.openWeights();
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

    private static void inBackground(Runnable task) {
        Thread.ofPlatform().daemon().name("sgpt4j-open").start(task);
    }

    /// Token ids of a text, uncut.
    ///
    /// @param text not null; a surrogate without its partner counts as U+FFFD
    /// @param specialTokens whether to add the special tokens that the tokenizer asks for
    /// @throws IllegalStateException if the model is closed
    public int[] tokenize(String text, boolean specialTokens) {
        requireOpen();
        return tokenizer.encode(text, specialTokens);
    }

    /// The text of token ids, special tokens included.
    ///
    /// @throws IllegalStateException if the model is closed
    public String detokenize(int[] ids) {
        requireOpen();
        return tokenizer.decode(ids, false);
    }

    /// Facts about the checkpoint.
    ///
    /// @throws IllegalStateException if the model is closed
    public ModelInfo info() {
        return whileOpen(() -> ModelInfo.of(this));
    }

    /// Stands for the checkpoint's contents, wherever it lies: 32 hexadecimal digits from its configuration,
    /// tokenizer and weights. Of large tensors only parts are read, so it takes a fraction of a second for any
    /// size. It says nothing about device and data type, which move results by rounding only.
    ///
    /// @throws IllegalStateException if the model is closed
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    public String fingerprint() {
        Cancellation cancellation = Cancellation.ofThisThread("reading the weights of " + directory);
        return whileOpen(() -> checkpoint.fingerprint(weights, cancellation));
    }

    /// All stored tensors, also those that are not computed with: the decoder's by name, then those of modules.
    ///
    /// @throws IllegalStateException if the model is closed
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    public List<TensorInfo> tensors() {
        return ofTensors(tensor -> Optional.of(info(tensor)));
    }

    /// Looks at every number of the F32, F16 and BF16 tensors, which reads the whole checkpoint. It uses all
    /// processors and little memory.
    ///
    /// @return in the order of [#tensors]
    /// @throws IllegalStateException if the model is closed
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted, before or meanwhile
    public List<TensorStatistics> scan() {
        return ofTensors(tensor -> tensor.dtype().isWeight() ? Optional.of(statistics(tensor)) : Optional.empty());
    }

    /// Memory that embedding needs on every device and with every type of weights. What the CPU needs is that of this
    /// machine: with a matrix unit, weights take 3 bytes.
    ///
    /// @param tokens tokens computed at the same time, see [BiEncoderOptions#batchTokens]
    /// @throws IllegalStateException if the model is closed
    public List<MemoryNeed> memoryNeeds(int tokens) {
        requireOpen();
        if (tokens < 1) {
            throw new IllegalArgumentException("tokens: expected at least 1, got " + tokens);
        }
        return whileOpen(() -> MemoryEstimate.of(checkpoint, weights, tokens));
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

    /// Where the checkpoint was opened.
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

    /// Most tokens that encoders compute at the same time on each device unless their options say otherwise: 4,096 on
    /// the CPU; on a GPU up to 16,384, fewer on small devices and where little memory was free when the model was
    /// opened.
    public int batchTokens() {
        return batchTokens;
    }

    /// Why the device `auto` is the CPU although this machine seems to have a GPU, or empty.
    public Optional<String> deviceNotice() {
        return devices.notice();
    }

    /// What people should know that came up while the devices computed and changes no result, such as
    /// damaged files of a cache, which were made again. One sentence each; empty for most models, and
    /// until they are used. Can be asked after closing as well.
    public List<String> noticesInUse() {
        return devices.noticesInUse();
    }

    /// What probably makes the model compute NaN or infinity and what to do about it, as the end of a sentence: numbers
    /// beyond the range of 16-bit floats where weights are kept so, otherwise broken weights. Encoders end so the
    /// message of what they throw then.
    public String nonFiniteHint() {
        if (dtype == Dtype.FP16) {
            return "with dtype fp16, numbers end at 65504: use dtype bf16 or fp32";
        }
        return devices.areHalf()
                ? "with dtype fp16, the default of this device, numbers end at 65504: use dtype fp32"
                : "Model.scan tells of broken weights";
    }

    /// What people should know about how the checkpoint's files are understood: what in them is not
    /// known, passed over, or read otherwise than some software does. One sentence each, with the file;
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

    /// How long a text to embed may be.
    TextLength textLength() {
        return TextLength.of(decoder().config(), modules(), tokenizer);
    }

    /// Most tokens of a text to embed.
    int maxLength() {
        return textLength().tokens();
    }

    /// As [#maxLength()], for a kind of text.
    ///
    /// @param ofKind what the checkpoint states for texts of this kind, if anything
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

    /// Computes with this model, unless it is closed before. What fails because of closing meanwhile says so.
    <T> T whileOpen(Supplier<T> computation) {
        requireOpen();
        return whileOpen(this::requireOpen, () -> weights.mapped().reading(computation::get));
    }

    /// Makes something over this model, unless it is closed before. What fails because of closing
    /// meanwhile says so.
    <T> T madeWhileOpen(Supplier<T> maker) {
        requireOpen();
        return whileOpen(this::requireOpen, () -> weights.mapped().opening(maker::get));
    }

    /// Computes. What fails because of closing meanwhile says so, not which memory was read just then.
    ///
    /// @param requireOpen throws if the caller or this is closed
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
