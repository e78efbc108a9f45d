package io.github.sgpt4j.jmh.loops;

import static io.github.sgpt4j.jmh.loops.LoopForm.PLAIN;
import static io.github.sgpt4j.jmh.loops.LoopForm.UNROLLED;
import static io.github.sgpt4j.jmh.loops.LoopForm.VECTORS;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import io.github.sgpt4j.tensor.ElementType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/// The methods whose loops are checked, with arguments as in a forward pass, and the program that calls them until C2
/// has compiled each one separately.
final class HotLoops {
    /// A row of the table: a method and its arguments.
    ///
    /// @param allowed see [LoopName]
    private record Row(LoopForm form, int allowed, Method method, Object[] arguments) {
        LoopName name() {
            MethodType type = MethodType.methodType(method.getReturnType(), method.getParameterTypes());
            return new LoopName(
                    form, allowed, method.getDeclaringClass().getName(), method.getName(), type.descriptorString());
        }
    }

    /// Exit status if vectors of the requested width are unavailable.
    static final int NO_SUCH_WIDTH = 3;

    /// Prefix of lines with names.
    static final String MARK = "loop: ";

    private static final String KERNELS = Simd.class.getPackageName() + ".";
    private static final int CALLS = 20_000;
    /// Time limit of the calls. They take ten seconds; without C2, much longer.
    private static final long MAX_NANOS = 120_000_000_000L;

    /// Values per row, or inputs of a product; small, since code is slow until it is compiled.
    private static final int N = 256;

    private static final int ROWS = 16;

    /// C2 unrolls the tile of two rows four times and starts with all loads, eight of B and five of A beside
    /// the four sums: one does not fit into the registers and is read twice. The latency of the sums should
    /// hide that.
    private static final int TWO_ROWS = 3;

    /// C2 keeps an address in a vector register here, although general registers are free.
    private static final int PARKED_ADDRESS = 1;

    /// C2 leaves an argument on the stack and broadcasts it from there, as it broadcasts constants from memory;
    /// four times if it unrolls the loop.
    private static final int FACTOR = 4;

    private static final int LANES = Simd.LANES;
    private static final int COLUMNS = Simd.TILE_COLUMNS;

    private final List<Row> rows = new ArrayList<>();
    private final Random random = new Random(1);

    private HotLoops() {
        products();
        functions();
        attention();
        rest();
    }

    private void products() {
        // 12, 8 and 4 rows, or 6, 4 and 2, depending on the vector width.
        int[] heights = IntStream.rangeClosed(1, Simd.TILE_ROWS)
                .map(Tiles::height)
                .distinct()
                .toArray();
        for (int h : heights) {
            int known = h == 2 ? TWO_ROWS : 0;
            add(VECTORS, known, "Tiles", "tile" + h, x(h * N), 0, x(N * COLUMNS), 0, N, x(0), 0, 0, x(0), 0, COLUMNS);
        }
        long right = (long) N * LANES * Float.BYTES;
        // With 16 registers, panels are on the heap or are multiplied by machine code.
        for (int h : Simd.TILE_ROWS == 12 ? heights : new int[0]) {
            MemorySegment b = memory(2 * right);
            add(VECTORS, 0, "WeightTiles", "tile" + h, x(h * N), 0, b, 0L, right, N, x(0), 0, 0, x(0), 0, COLUMNS);
        }
    }

    private void functions() {
        for (String name : List.of("exp", "sigmoid", "geluTanh", "tanh", "gelu", "relu")) {
            add(VECTORS, 0, "Elementary", name, x(N), 0, N);
        }
        add(VECTORS, FACTOR, "Elementary", "gate", x(N), 0, N, -1f);
        add(VECTORS, 0, "Activations", "gated", Activation.SILU, x(2 * N), 0, N, x(N), 0, N);
    }

    private void attention() {
        int keys = 64;
        add(VECTORS, 0, "OnlineSoftmax", "addSlopes", x(keys * COLUMNS), keys, x(COLUMNS), x(COLUMNS), 0);
        add(VECTORS, 0, "OnlineSoftmax", "mask", x(keys * COLUMNS), keys, x(COLUMNS), 0, 32f);
        add(VECTORS, 0, "OnlineSoftmax", "raise", x(keys * COLUMNS), 0, keys, x(COLUMNS), x(COLUMNS), x(COLUMNS));
        add(VECTORS, 0, "OnlineSoftmax", "weigh", x(keys * COLUMNS), 0, keys, x(COLUMNS), x(COLUMNS), x(COLUMNS));
        add(VECTORS, 0, "OnlineSoftmax", "scale", x(keys * COLUMNS), 0, keys, x(COLUMNS));
        add(UNROLLED, 0, "OnlineSoftmax", "raiseLanes", x(N), 0, x(COLUMNS), 0, x(COLUMNS));
        add(UNROLLED, 0, "OnlineSoftmax", "scaleLanes", x(COLUMNS), 0, x(COLUMNS));
        add(UNROLLED, 0, "OnlineSoftmax", "addLanes", x(N), 0, x(COLUMNS), 0);
        add(VECTORS, 0, "Rotations", "split", x(2 * N), 0, N, x(N), x(N), 0);
        add(PLAIN, 0, "Rotations", "interleaved", x(2 * N), 0, N, x(N), x(N), 0);
    }

    private void rest() {
        add(VECTORS, 0, "Norms", "layer", x(N), 0, N, x(N), x(N), 1e-5f, x(N), 0);
        add(VECTORS, 0, "Norms", "rms", x(N), 0, N, x(N), x(N), 1e-5f, x(N), 0);
        add(VECTORS, 0, "Norms", "sum", x(N), 0, N);
        add(VECTORS, 0, "Norms", "squares", x(N), 0, N, 0.1f);
        add(VECTORS, 0, "Largest", "bits", x(N), 0, N);
        add(VECTORS, 0, "Packing", "row", x(N), 0, N, 1, x(N), 0);
        add(PLAIN, 0, "Packing", "row", x(ROWS * N), 0, ROWS, N, 2f, x(N), 0);
        add(PLAIN, 0, "Packing", "column", x(N), 0, N, 2f, x(ROWS * N), 0, ROWS);
        add(PLAIN, 0, "Packing", "columnTiles", x(ROWS * N), 0, N, 0, ROWS, ROWS, N, x(N * Tiles.CHUNK), 0);
        MemorySegment sums = memory((long) ROWS * N * Float.BYTES);
        add(VECTORS, 0, "Sums", "put", sums, N, ROWS, N, x(N), 0, true, x(ROWS * N), 0, N);
        add(VECTORS, 0, "Sums", "put", sums, N, ROWS, N, x(N), 0, false, x(ROWS * N), 0, N);
        add(VECTORS, 0, "Widening", "widenBf16", memory(2 * N), 0L, x(N), 0, N);
        for (ElementType type : List.of(ElementType.F32, ElementType.BF16, ElementType.F16)) {
            MemorySegment weights = memory((long) ROWS * LANES * type.bytes());
            add(VECTORS, 0, "Widening", "widenRows", weights, type, 0L, x(ROWS * COLUMNS), 0, ROWS);
        }
        add(PLAIN, PARKED_ADDRESS, "Widening", "f16ToFloats", new short[N], x(N), 0, N);
        add(PLAIN, 0, "Widening", "floatsToF16", x(N), 0, new short[N], N);
        add(PLAIN, 0, "Widening", "floatsToBf16", x(N), 0, new short[N], N);
    }

    /// Random numbers, padded for whole vectors at the end.
    private float[] x(int count) {
        float[] x = new float[count + Simd.TILE_ROWS * COLUMNS];
        for (int i = 0; i < x.length; i++) {
            x[i] = random.nextFloat() - 0.5f;
        }
        return x;
    }

    private static MemorySegment memory(long bytes) {
        return Arena.ofAuto().allocate(bytes, 64);
    }

    private void add(LoopForm form, int allowed, String type, String name, Object... arguments) {
        try {
            for (Method method : Class.forName(KERNELS + type).getDeclaredMethods()) {
                if (method.getName().equals(name) && takes(method, arguments)) {
                    method.setAccessible(true);
                    rows.add(new Row(form, allowed, method, arguments));
                    return;
                }
            }
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException("the table of loops names an unknown class: " + type, e);
        }
        throw new IllegalStateException("the table of loops names an unknown method: " + type + "." + name + " with "
                + arguments.length + " arguments");
    }

    private static boolean takes(Method method, Object[] arguments) {
        MethodType boxed =
                MethodType.methodType(void.class, method.getParameterTypes()).wrap();
        return boxed.parameterCount() == arguments.length
                && IntStream.range(0, arguments.length)
                        .allMatch(i -> boxed.parameterType(i).isInstance(arguments[i]));
    }

    /// With `list`, prints the names of the methods; with `call`, calls them. Exits with status 3 if the
    /// requested vector width is unavailable on this machine or with these options.
    ///
    /// @param arguments `list` or `call`, and a regular expression that selects methods by name
    public static void main(String[] arguments) throws ReflectiveOperationException {
        if (Simd.problem().isPresent()) {
            System.exit(NO_SUCH_WIDTH);
        }
        Pattern only = Pattern.compile(arguments[1]);
        List<Row> rows = new HotLoops()
                .rows.stream()
                        .filter(row -> only.matcher(row.name().title()).find())
                        .toList();
        if (arguments[0].equals("list")) {
            rows.stream().map(row -> MARK + row.name().line()).distinct().forEach(System.out::println);
            return;
        }
        long end = System.nanoTime() + MAX_NANOS;
        for (int call = 0; call < CALLS && System.nanoTime() < end; call++) {
            for (Row row : rows) {
                row.method.invoke(null, row.arguments);
            }
        }
    }
}
