package io.github.sgpt4j.model;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.Family;
import io.github.sgpt4j.model.family.TensorNames;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weights.ExpectedTensor;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.lang.foreign.SegmentAllocator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Merges an adapter's tensors into the tensors of the base model that they belong to: W + scale · B·A
/// for low-rank products, the tensor itself for modules trained in full (`modules_to_save`, biases).
final class AdapterMerge {
    private static final List<String> WRAPPERS = List.of("base_model.model.", "model.base_model.model.");
    private static final String TABLE_A = "lora_embedding_A";
    private static final String TABLE_B = "lora_embedding_B";

    private final AdapterConfig adapter;
    private final Weights base;
    private final Weights trained;
    private final DecoderLayout layout;
    private final TensorNames names;
    private final Map<String, ExpectedTensor> expected = new TreeMap<>();

    /// @param config the base model's config.json
    AdapterMerge(AdapterConfig adapter, JsonFile config, Weights base, Weights trained) {
        this.adapter = adapter;
        this.base = base;
        this.trained = trained;
        Family family = Family.of(config);
        names = family.names();
        layout = DecoderLayout.of(family.config().apply(config), names, base.names());
        // The decoder comes last, so that a tied table counts as a table, not as a head.
        layout.head().forEach(tensor -> expected.put(tensor.name(), tensor));
        layout.decoder().forEach(tensor -> expected.put(tensor.name(), tensor));
    }

    /// Both halves of a module's product.
    private record Halves(WeightTensor a, WeightTensor b) {}

    /// The tensors that the adapter changes, by their name in the base model.
    ///
    /// @param memory for merged tensors, 32-bit floats
    /// @param cancellation of the call, checked before each tensor
    /// @throws FormatException if tensors do not fit the base model or the configuration
    /// @throws UnsupportedModelException if the adapter contains something that is not implemented
    Map<String, WeightTensor> merge(SegmentAllocator memory, Cancellation cancellation) {
        Map<String, WeightTensor> merged = new LinkedHashMap<>();
        Set<String> keys = trained.names();
        if (keys.isEmpty() && trained.unknownNames().isEmpty()) {
            throw new FormatException("%s: expected tensors of an adapter, found none"
                    .formatted(trained.files().getFirst()));
        }
        // Each is needed: asking for it is an error.
        trained.unknownNames().forEach(trained::get);
        // Products are added after replacements, since they may apply to a tensor that was stored in
        // full, such as a table.
        keys.stream().filter(key -> !unwrapped(key).contains("lora_")).forEach(key -> replacement(key, merged));
        keys.stream().filter(key -> unwrapped(key).contains("lora_")).forEach(key -> {
            cancellation.check();
            product(key, merged, memory);
        });
        keepHead(merged);
        return merged;
    }

    /// A name without peft's wrappers around the model and around modules.
    private static String unwrapped(String key) {
        String name = key;
        for (String wrapper : WRAPPERS) {
            if (name.startsWith(wrapper)) {
                name = name.substring(wrapper.length());
                break;
            }
        }
        return name.replace(".base_layer.", ".")
                .replace(".modules_to_save.default.", ".")
                .replace(".modules_to_save.", ".")
                .replace(".original_module.", ".");
    }

    private void requireHalf(String key) {
        String other = key.replace(".lora_B.", ".lora_A.").replace("." + TABLE_B, "." + TABLE_A);
        if (!trained.contains(other)) {
            throw new FormatException("%s: tensor %s: expected %s beside it, found none"
                    .formatted(trained.get(key).file(), Quoted.of(key), Quoted.of(other)));
        }
    }

    private void product(String key, Map<String, WeightTensor> merged, SegmentAllocator memory) {
        String name = unwrapped(key);
        if (name.endsWith(".lora_A.weight") || name.endsWith("." + TABLE_A)) {
            product(key, name, merged, memory);
        } else if (name.endsWith(".lora_B.weight") || name.endsWith("." + TABLE_B)) {
            requireHalf(key);
        } else {
            throw new UnsupportedModelException(
                    "%s: tensor %s: expected lora_A and lora_B of a module, got another kind"
                            .formatted(trained.get(key).file(), Quoted.of(key)));
        }
    }

    private void product(String key, String name, Map<String, WeightTensor> merged, SegmentAllocator memory) {
        boolean table = name.endsWith(TABLE_A);
        String module = name.substring(0, name.length() - (table ? TABLE_A.length() + 1 : ".lora_A.weight".length()));
        if (!adapter.targets().names(module)) {
            throw new FormatException("%s: tensor %s: expected products of modules that \"target_modules\" of %s names"
                    .formatted(trained.get(key).file(), Quoted.of(key), AdapterConfig.FILE));
        }
        WeightTensor weight = base.get(stored(key, module));
        ExpectedTensor use = expected(key, weight.name());
        int rank = adapter.targets().rank(module);
        long[] shape = use.shape().toArray();
        // Rows and columns of the product B·A.
        boolean transposed = table || use.use() == ExpectedTensor.Use.TRANSPOSED_MATRIX;
        long out = shape[transposed ? 1 : 0];
        long in = shape[transposed ? 0 : 1];
        Halves halves = new Halves(
                trained.get(key, rank, in),
                trained.get(key.replace(".lora_A.", ".lora_B.").replace("." + TABLE_A, "." + TABLE_B), out, rank));
        WeightTensor checked = Weights.requireWeight(merged.getOrDefault(weight.name(), weight), shape);
        merged.put(
                weight.name(),
                LowRankProduct.add(
                        checked,
                        halves.a(),
                        halves.b(),
                        transposed,
                        adapter.targets().scale(module),
                        memory));
    }

    private ExpectedTensor expected(String key, String name) {
        ExpectedTensor tensor = expected.get(name);
        if (tensor == null || tensor.shape().rank() != 2) {
            throw new UnsupportedModelException(
                    "%s: tensor %s: expected a product for a matrix of the model, got one for %s"
                            .formatted(trained.get(key).file(), Quoted.of(key), Quoted.of(name)));
        }
        return tensor;
    }

    /// A tensor that was trained in full replaces the base model's; a head that the base model lacks is
    /// added.
    private void replacement(String key, Map<String, WeightTensor> merged) {
        String name = unwrapped(key);
        WeightTensor tensor = trained.get(key);
        Optional<String> known = find(name);
        if (known.isEmpty()) {
            merged.put(name, renamed(tensor, name));
            return;
        }
        WeightTensor replaced = base.get(known.get());
        if (!tensor.shape().equals(replaced.shape())) {
            throw new FormatException("%s: tensor %s: expected shape %s as in the base model, got %s"
                    .formatted(tensor.file(), Quoted.of(key), replaced.shape(), tensor.shape()));
        }
        merged.put(known.get(), renamed(tensor, known.get()));
    }

    /// The head of a tied model stays the original table, as in peft.
    private void keepHead(Map<String, WeightTensor> merged) {
        String head = names.heads().getFirst() + ".weight";
        if (layout.headIsTable() && merged.containsKey(layout.table()) && !merged.containsKey(head)) {
            merged.put(head, renamed(base.get(layout.table()), head));
        }
    }

    private static WeightTensor renamed(WeightTensor tensor, String name) {
        return new WeightTensor(name, tensor.file(), tensor.dtype(), tensor.shape(), tensor.data());
    }

    /// Name of a module's weight in the base model; a tied head that is not stored is the table.
    private String stored(String key, String module) {
        String name = module + ".weight";
        Optional<String> found = find(name);
        if (found.isEmpty() && names.heads().contains(module)) {
            throw new UnsupportedModelException(
                    "%s: tensor %s: expected products of stored matrices, got one for an output head that is the embedding table"
                            .formatted(trained.get(key).file(), Quoted.of(key)));
        }
        return found.orElseThrow(
                () -> new FormatException("%s: tensor %s: expected a module of the base model, which has no tensor %s"
                        .formatted(trained.get(key).file(), Quoted.of(key), Quoted.of(name))));
    }

    private Optional<String> find(String name) {
        return new StoredNames(names.prefixes(), base::contains).find(name);
    }
}
