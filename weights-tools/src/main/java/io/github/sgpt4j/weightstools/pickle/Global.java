package io.github.sgpt4j.weightstools.pickle;

import io.github.sgpt4j.tensor.ElementType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The names that a pickle may mention: all that PyTorch writes in a dictionary of plain tensors, and
/// no more. Each is only a symbol here; [Calls] implements what it does.
public sealed interface Global {
    /// Module and name as in Python, separated by a dot.
    String title();

    /// Finds a name; empty if it is not allowed.
    static Optional<Global> find(String module, String name) {
        return Optional.ofNullable(AllowList.NAMES.get(new AllowList.Spelling(module, name)));
    }

    /// Functions that may be called.
    enum Function implements Global {
        ORDERED_DICT("collections", "OrderedDict"),
        REBUILD_TENSOR("torch._utils", "_rebuild_tensor"),
        REBUILD_TENSOR_V2("torch._utils", "_rebuild_tensor_v2"),
        REBUILD_TENSOR_V3("torch._utils", "_rebuild_tensor_v3"),
        REBUILD_PARAMETER("torch._utils", "_rebuild_parameter"),
        REBUILD_PARAMETER_WITH_STATE("torch._utils", "_rebuild_parameter_with_state"),
        SIZE("torch", "Size");

        private final String module;
        private final String symbol;

        Function(String module, String symbol) {
            this.module = module;
            this.symbol = symbol;
        }

        @Override
        public String title() {
            return module + "." + symbol;
        }
    }

    /// A class of storages; the untyped one counts bytes.
    record StorageClass(String title, Optional<ElementType> type) implements Global {
        /// Bytes of one element.
        public int elementBytes() {
            return type.map(ElementType::bytes).orElse(1);
        }
    }

    /// An element type.
    record TensorElement(String title, ElementType type) implements Global {}

    /// The allow-list itself.
    final class AllowList {
        private record Spelling(String module, String name) {}

        private static final Map<Spelling, Global> NAMES = names();

        private AllowList() {}

        private static Map<Spelling, Global> names() {
            Map<Spelling, Global> names = new HashMap<>();
            for (Function function : Function.values()) {
                names.put(new Spelling(function.module, function.symbol), function);
            }
            Map<String, ElementType> storages = Map.of(
                    "DoubleStorage", ElementType.F64,
                    "FloatStorage", ElementType.F32,
                    "HalfStorage", ElementType.F16,
                    "BFloat16Storage", ElementType.BF16,
                    "LongStorage", ElementType.I64,
                    "IntStorage", ElementType.I32,
                    "ShortStorage", ElementType.I16,
                    "CharStorage", ElementType.I8,
                    "ByteStorage", ElementType.U8,
                    "BoolStorage", ElementType.BOOL);
            storages.forEach((name, type) -> {
                for (String module : List.of("torch", "torch.cuda")) {
                    names.put(new Spelling(module, name), new StorageClass(module + "." + name, Optional.of(type)));
                }
            });
            for (String module : List.of("torch", "torch.storage")) {
                names.put(
                        new Spelling(module, "UntypedStorage"),
                        new StorageClass(module + ".UntypedStorage", Optional.empty()));
            }
            elementTypes()
                    .forEach((name, type) ->
                            names.put(new Spelling("torch", name), new TensorElement("torch." + name, type)));
            return Map.copyOf(names);
        }

        private static Map<String, ElementType> elementTypes() {
            Map<String, ElementType> types = new HashMap<>();
            types.put("float64", ElementType.F64);
            types.put("float32", ElementType.F32);
            types.put("float16", ElementType.F16);
            types.put("bfloat16", ElementType.BF16);
            types.put("float8_e4m3fn", ElementType.F8_E4M3);
            types.put("float8_e5m2", ElementType.F8_E5M2);
            types.put("int64", ElementType.I64);
            types.put("int32", ElementType.I32);
            types.put("int16", ElementType.I16);
            types.put("int8", ElementType.I8);
            types.put("uint64", ElementType.U64);
            types.put("uint32", ElementType.U32);
            types.put("uint16", ElementType.U16);
            types.put("uint8", ElementType.U8);
            types.put("bool", ElementType.BOOL);
            return types;
        }
    }
}
