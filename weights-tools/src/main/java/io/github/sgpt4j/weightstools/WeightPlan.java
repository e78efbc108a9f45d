package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.checkpoint.MergedCheckpoint;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import io.github.sgpt4j.weightstools.pickle.TensorView;
import io.github.sgpt4j.weightstools.torch.TorchFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// Assigns a folder's tensors to files, as transformers' `save_pretrained` does.
final class WeightPlan {
    /// Names of output heads that may be tied to the embedding table: the table's own name is kept.
    private static final Set<String> HEADS = Set.of("lm_head.weight", "embed_out.weight");

    private List<PlannedTensor> tensors = new ArrayList<>();
    private final List<String> dropped = new ArrayList<>();
    private final Map<String, String> tied = new LinkedHashMap<>();

    private WeightPlan() {}

    /// @param files the folder's weight files; borrowed
    /// @param untied whether the model says that its output head is separate, even if it has the
    ///     table's numbers
    /// @throws FormatException if a name occurs in two files
    static WeightPlan of(List<TorchFile> files, Dtype dtype, boolean untied) {
        WeightPlan plan = new WeightPlan();
        Map<String, TorchFile> holders = new HashMap<>();
        for (TorchFile file : files) {
            for (String name : file.tensors().keySet()) {
                TorchFile other = holders.put(name, file);
                if (other != null) {
                    throw new FormatException("%s: expected tensor %s in one file, got it in %s as well"
                            .formatted(
                                    file.path(), Quoted.of(name), other.path().getFileName()));
                }
            }
            plan.add(file, dtype, untied);
        }
        plan.tensors = NaturalOrder.sorted(plan.tensors, PlannedTensor::name);
        return plan;
    }

    /// Nothing to write.
    static WeightPlan none() {
        return new WeightPlan();
    }

    /// Every tensor of an adapter under every name: elements stored under two names change two tensors.
    static WeightPlan ofAdapter(TorchFile file, Dtype dtype) {
        WeightPlan plan = new WeightPlan();
        file.tensors()
                .forEach((name, view) -> plan.tensors.add(
                        new PickledTensor(name, file, view, ConvertOptions.storedAs(dtype, view.type()))));
        plan.tensors = NaturalOrder.sorted(plan.tensors, PlannedTensor::name);
        return plan;
    }

    /// All tensors of a base model, with what an adapter changes.
    static WeightPlan ofMerged(MergedCheckpoint merged, Dtype dtype) {
        WeightPlan plan = new WeightPlan();
        for (String name : merged.weights().names()) {
            WeightTensor tensor = merged.weights().get(name);
            if (ComputedBuffers.isOne(name, tensor.shape())) {
                plan.dropped.add(name);
            } else {
                plan.tensors.add(new MergedTensor(tensor, ConvertOptions.storedAs(dtype, merged.storedType(tensor))));
            }
        }
        plan.tensors = NaturalOrder.sorted(plan.tensors, PlannedTensor::name);
        return plan;
    }

    /// Tensors as they are.
    ///
    /// @param tensors borrowed
    static WeightPlan ofStored(List<WeightTensor> tensors) {
        WeightPlan plan = new WeightPlan();
        tensors.forEach(tensor -> plan.tensors.add(new MergedTensor(tensor, tensor.dtype())));
        plan.tensors = NaturalOrder.sorted(plan.tensors, PlannedTensor::name);
        return plan;
    }

    /// Identifies a range of a storage.
    private record Place(String key, long start, long bytes) {}

    private void add(TorchFile file, Dtype dtype, boolean untied) {
        Map<Place, List<String>> byPlace = new LinkedHashMap<>();
        file.tensors().forEach((name, view) -> {
            if (ComputedBuffers.isOne(name, view.shape())) {
                dropped.add(name);
            } else {
                Place place = new Place(view.storage().key(), view.start(), view.bytes());
                byPlace.computeIfAbsent(place, p -> new ArrayList<>()).add(name);
            }
        });
        Map<String, String> doubles = new HashMap<>();
        for (List<String> names : byPlace.values()) {
            if (names.size() > 1) {
                findTied(file.tensors(), names, untied, doubles);
            }
        }
        file.tensors().forEach((name, view) -> {
            String kept = doubles.get(name);
            if (kept != null) {
                tied.put(name, kept);
            } else if (!ComputedBuffers.isOne(name, view.shape())) {
                tensors.add(new PickledTensor(name, file, view, ConvertOptions.storedAs(dtype, view.type())));
            }
        });
    }

    /// Of several names for the same elements one is kept: not an output head if there is another, then
    /// the first in alphabetical order.
    private static void findTied(
            Map<String, TensorView> views, List<String> names, boolean untied, Map<String, String> doubles) {
        List<String> sorted = new ArrayList<>(names);
        sorted.sort(Comparator.comparing(WeightPlan::isHead).thenComparing(Comparator.naturalOrder()));
        Map<String, String> keptByForm = new HashMap<>();
        for (String name : sorted) {
            if (untied && isHead(name)) {
                continue;
            }
            TensorView view = Objects.requireNonNull(views.get(name));
            // Names with the same place are nearly always one tensor; otherwise each view of it is kept
            // once.
            String form = "%s %s %s".formatted(view.type(), view.shape(), Arrays.toString(view.strides()));
            String kept = view.shape().elements() == 0 ? null : keptByForm.putIfAbsent(form, name);
            if (kept != null) {
                doubles.put(name, kept);
            }
        }
    }

    /// Names of the tensors to be written.
    Set<String> names() {
        Set<String> names = new HashSet<>();
        tensors.forEach(tensor -> names.add(tensor.name()));
        return names;
    }

    /// Leaves out an output head that is stored separately but bitwise equal to the embedding table:
    /// transformers ties the two when it loads them, and stores one. A head with other numbers stays.
    ///
    /// @param table name of the table that the model's head is tied to
    /// @throws IOException if unpacking fails
    void tieCopies(String table) throws IOException {
        Optional<PlannedTensor> kept =
                tensors.stream().filter(t -> t.name().equals(table)).findFirst();
        if (kept.isEmpty()) {
            return;
        }
        List<PlannedTensor> heads = tensors.stream()
                .filter(tensor -> isHead(tensor.name()) && !tensor.name().equals(table))
                .toList();
        for (PlannedTensor head : heads) {
            if (head instanceof PickledTensor own
                    && kept.get() instanceof PickledTensor other
                    && own.hasElementsOf(other)) {
                tensors.remove(head);
                tied.put(head.name(), table);
            }
        }
    }

    private static boolean isHead(String name) {
        return HEADS.stream().anyMatch(head -> name.equals(head) || name.endsWith("." + head));
    }

    List<PlannedTensor> tensors() {
        return tensors;
    }

    List<String> dropped() {
        return dropped;
    }

    Map<String, String> tied() {
        return tied;
    }

    long bytes() {
        return tensors.stream().mapToLong(PlannedTensor::bytes).reduce(0, Math::addExact);
    }

    long elements() {
        return tensors.stream().mapToLong(tensor -> tensor.shape().elements()).sum();
    }

    /// The tensors of every file, by file name: in order, with a new file whenever the next tensor
    /// would make one too large.
    Map<String, List<PlannedTensor>> shards(long maxBytes) {
        List<List<PlannedTensor>> shards = new ArrayList<>();
        List<PlannedTensor> current = new ArrayList<>();
        long size = 0;
        for (PlannedTensor tensor : tensors) {
            if (tensor.bytes() > maxBytes) {
                shards.add(List.of(tensor));
                continue;
            }
            if (size > maxBytes - tensor.bytes()) {
                shards.add(current);
                current = new ArrayList<>();
                size = 0;
            }
            current.add(tensor);
            size += tensor.bytes();
        }
        if (!current.isEmpty()) {
            shards.add(current);
        }
        if (shards.size() == 1) {
            return Map.of(Weights.SINGLE_FILE, shards.getFirst());
        }
        Map<String, List<PlannedTensor>> named = new LinkedHashMap<>();
        for (int i = 0; i < shards.size(); i++) {
            named.put("model-%05d-of-%05d.safetensors".formatted(i + 1, shards.size()), shards.get(i));
        }
        return named;
    }

    /// The file name of every tensor.
    static SortedMap<String, String> fileByTensor(Map<String, List<PlannedTensor>> shards) {
        SortedMap<String, String> files = new TreeMap<>();
        shards.forEach((file, tensors) -> tensors.forEach(tensor -> files.put(tensor.name(), file)));
        return files;
    }
}
