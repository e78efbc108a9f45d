package io.github.sgpt4j.checkpoint;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.model.AdaptedModel;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.model.DecoderLayout;
import io.github.sgpt4j.model.family.DecoderConfig;
import io.github.sgpt4j.model.family.Family;
import io.github.sgpt4j.model.family.FamilyNotices;
import io.github.sgpt4j.tokenizer.Tokenizer;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The configuration of a checkpoint directory; each JSON file is read once. Weights are opened
/// separately. Safe to share between threads.
public final class Checkpoint {
    private final Path directory;
    private final JsonFiles json;
    private final SentenceModules own;
    private final Optional<Biases> biases;
    private final SentenceModules modules;
    private final Optional<KnownLayout> known;
    private final AdaptedModel files;
    private final JsonFile configuration;
    private final DecoderConfig decoder;

    private Checkpoint(Path directory, Optional<Path> base, Optional<Path> trained) {
        this.directory = directory;
        json = new JsonFiles();
        own = SentenceModules.read(directory, json);
        biases = trained.map(Biases::read);
        modules = biases.map(b -> b.modules(own)).orElse(own);
        known = KnownLayout.find(own.transformer(), json);
        files = AdaptedModel.of(modules.transformer(), base, json);
        configuration = Family.readConfig(files.configuration(), json);
        decoder = Decoder.readConfig(configuration);
    }

    /// Reads what every use of a checkpoint needs; the rest is read on demand.
    ///
    /// @throws io.github.sgpt4j.error.SgptException if a file is missing, broken or asks for something
    ///     unsupported, or the checkpoint is an adapter without a base model
    public static Checkpoint open(Path directory) {
        return open(directory, Optional.empty());
    }

    /// As [#open(Path)], also for an adapter.
    ///
    /// @param base folder of the base model; empty if it is the adapter's own
    public static Checkpoint open(Path directory, Optional<Path> base) {
        return open(directory, base, Optional.empty());
    }

    /// As [#open(Path, Optional)], with tensors that were trained later.
    ///
    /// @param trained the file with the trained tensors, whose settings are followed instead of the
    ///     checkpoint's own, see [Biases]
    public static Checkpoint open(Path directory, Optional<Path> base, Optional<Path> trained) {
        return new Checkpoint(directory, base, trained);
    }

    /// The checkpoint's directory.
    public Path directory() {
        return directory;
    }

    /// The modules around the decoder: prompts, lengths, pooling and the steps after it.
    public SentenceModules modules() {
        return modules;
    }

    /// The published kind of the model, if its own code says how texts become embeddings.
    public Optional<KnownLayout> known() {
        return known;
    }

    /// As [#known], if it also says how texts are pooled, as there is no `modules.json`.
    public Optional<KnownLayout> knownPooling() {
        return known.filter(kind -> !Files.exists(directory.resolve("modules.json"), LinkOption.NOFOLLOW_LINKS));
    }

    /// What the files say about scoring pairs.
    ///
    /// @throws io.github.sgpt4j.error.SgptException if a file is missing, broken or asks for something
    ///     unsupported
    public PairSettings pairs() {
        return PairSettings.read(directory, modules, configuration, json);
    }

    /// The trained tensors that replace some of the checkpoint's, and their settings.
    public Optional<Biases> biases() {
        return biases;
    }

    /// Where the model's files are, and the settings of an adapter.
    public AdaptedModel files() {
        return files;
    }

    /// `config.json`.
    public JsonFile configuration() {
        return configuration;
    }

    /// The decoder's settings in `config.json`.
    public DecoderConfig decoder() {
        return decoder;
    }

    /// Reads the small files, including those of modules.
    public JsonFiles json() {
        return json;
    }

    /// What users should know about the files, one sentence each.
    ///
    /// @throws io.github.sgpt4j.error.SgptException if one asks for something unsupported
    public List<String> notices() {
        List<String> notices = new ArrayList<>(CheckpointFiles.check(
                directory, own, files.configuration(), configuration.text("model_type", decoder.modelType()), json));
        knownPooling().flatMap(KnownLayout::notice).ifPresent(notices::add);
        notices.addAll(FamilyNotices.of(configuration()));
        biases.ifPresent(b -> notices.addAll(b.notices(own, ModelName.specb(directory, json))));
        return notices;
    }

    /// Loads the tokenizer.
    ///
    /// @throws io.github.sgpt4j.error.SgptException if one of its files is missing, broken or
    ///     unsupported
    public Tokenizer loadTokenizer() {
        return new TokenizerFolder(files.tokenizer(), modules.lowerCase()).load(json);
    }

    /// Opens the decoder's weights, with an adapter's merged in, and trained tensors in place of their
    /// own.
    ///
    /// @throws io.github.sgpt4j.error.SgptException as [AdaptedModel#openWeights], or if the trained
    ///     tensors belong to another model
    public Weights openWeights() {
        Weights weights = files.openWeights(configuration);
        return biases.isPresent() ? biases.get().over(weights, files, configuration) : weights;
    }

    /// The tensors of the decoder.
    ///
    /// @param stored names of the tensors in the weight files
    public DecoderLayout layout(Set<String> stored) {
        return DecoderLayout.read(configuration, stored);
    }

    /// Whether the model is an asymmetric SGPT model ("special brackets"): as its files state, otherwise
    /// by its name.
    public SpecialBrackets specb() {
        return modules.use().specb().orElseGet(() -> ModelName.specb(directory, json));
    }

    /// Identifies configuration, tokenizer and weights.
    ///
    /// @param weights the result of [#openWeights]
    /// @param cancellation of the call, checked before each tensor
    public String fingerprint(Weights weights, Cancellation cancellation) {
        return Fingerprint.ofCheckpoint(files, weights, cancellation);
    }
}
