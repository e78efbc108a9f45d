// Gradients of element-wise operations, norms and pooling; sums over rows.
#include <cmath>

#include "rows.h"

using namespace test;

namespace {

const std::vector<Type> TRAINED = {Type::f32, Type::bf16};

// x or dX, and dOut.
const std::vector<Pair> TRAINED_PAIRS = {
    {Type::f32, Type::f32}, {Type::f32, Type::bf16}, {Type::bf16, Type::bf16}};

double derived(int activation, double x) {
    const double s = 1 / (1 + std::exp(-(activation == 4 ? 1.702 * x : x)));
    switch (activation) {
        case 1:
            return x > 0 ? 1 : 0;
        case 2:
            return 0.5 * (1 + std::erf(x / std::sqrt(2.0))) + x * std::exp(-x * x / 2) / std::sqrt(2 * M_PI);
        case 3: {
            const double t = std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x));
            return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * std::sqrt(2 / M_PI) * (1 + 3 * 0.044715 * x * x);
        }
        case 4:
            return s + 1.702 * x * s * (1 - s);
        case 5:
            return s + x * s * (1 - s);
        case 6:
            return 1 - std::tanh(x) * std::tanh(x);
        case 7:
            return s * (1 - s);
        default:
            return 1;
    }
}

}  // namespace

SGPT_TEST(gradient_of_every_activation) {
    Random random(50);
    for (Type type : TRAINED) {
        for (int activation = 0; activation < 8; activation++) {
            for (int columns : SIZES) {
                const int count = 1 + random.below(4);
                const Layout layout = LAYOUTS[random.below(4)];
                const Rows rows{count, columns, stride_of(columns, layout)};
                std::vector<double> x = round_all(type, random.normal(count * columns, 0, 3));
                // Large magnitudes, where exponentials overflow, and the place of ReLU's kink.
                x[0] = round_all(type, {random.flip() ? 1e20 : -1e20})[0];
                x.back() = 0;
                const std::vector<double> d = round_all(type, random.normal(count * columns));
                std::vector<double> expected;
                for (std::size_t i = 0; i < x.size(); i++) {
                    expected.push_back(d[i] * derived(activation, x[i]));
                }
                const Buffer device_x(type, rows.spread(x), layout.offset);
                const Buffer device_d(type, rows.spread(d), layout.offset);
                const Launch l = row_grid(count, columns, vector_width(type, type));
                const std::string kernel = format("sgpt_gradient_activation_%s", name(type));
                Device::current().launch(kernel, l.grid, l.block, l.shared, device_x.address(), device_d.address(),
                                         count, columns, rows.stride, rows.stride, activation);
                const std::string what = format("%s %d: %d x %d", kernel.c_str(), activation, count, columns);
                expect_close(what, expected, rows.dense(device_d.values(), what), tolerance(type));
            }
        }
    }
}

SGPT_TEST(gradient_of_every_gated_activation) {
    Random random(51);
    for (Type type : TRAINED) {
        for (int activation = 0; activation < 8; activation++) {
            for (int columns : SIZES) {
                const int count = 1 + random.below(3);
                const Layout layout = LAYOUTS[random.below(4)];
                const Rows in{count, 2 * columns, stride_of(2 * columns, layout)};
                const Rows out{count, columns, stride_of(columns, layout)};
                const std::vector<double> x = round_all(type, random.normal(count * 2 * columns, 0, 2));
                const std::vector<double> d = round_all(type, random.normal(count * columns));
                std::vector<double> expected(x.size());
                for (int r = 0; r < count; r++) {
                    for (int c = 0; c < columns; c++) {
                        const int gate = r * 2 * columns + c;
                        const double g = d[r * columns + c];
                        expected[gate] = g * x[gate + columns] * derived(activation, x[gate]);
                        expected[gate + columns] = g * activated(activation, x[gate]);
                    }
                }
                const Buffer device_x(type, in.spread(x), layout.offset);
                const Buffer device_d(type, out.spread(d), layout.offset);
                const Buffer dX(type, in.spread(std::vector<double>(x.size(), NAN)), layout.offset);
                const Launch l = row_grid(count, columns, vector_width(type, type));
                const std::string kernel = format("sgpt_gradient_gated_%s", name(type));
                Device::current().launch(kernel, l.grid, l.block, l.shared, device_x.address(), device_d.address(),
                                         dX.address(), count, columns, in.stride, out.stride, in.stride, activation);
                const std::string what = format("%s %d: %d x %d", kernel.c_str(), activation, count, columns);
                expect_close(what, expected, in.dense(dX.values(), what), tolerance(type, 4));
            }
        }
    }
}

namespace {

enum { LAYER, RMS, IDENTITY };

struct Statistics {
    double mean;
    double factor;
};

Statistics statistics_of(const double* x, int columns, int kind) {
    if (kind == IDENTITY) {
        return {0, 1};
    }
    double mean = 0;
    double squares = 0;
    for (int c = 0; c < columns; c++) {
        mean += kind == LAYER ? x[c] / columns : 0;
    }
    for (int c = 0; c < columns; c++) {
        squares += (x[c] - mean) * (x[c] - mean) / columns;
    }
    return {mean, 1 / std::sqrt(squares + 1e-5f)};
}

// Of heads within rows: `heads` vectors of `columns` each.
struct Vectors {
    int count;
    int heads;
    int columns;
    Layout layout;

    Rows rows() const { return {count, heads * columns, stride_of(heads * columns, layout)}; }
    std::size_t values() const { return static_cast<std::size_t>(count) * heads * columns; }
};

void check_norm(Random& random, Pair types, Vectors v, int kind, bool affine, bool accumulate, bool in_place,
                double mean = 0, double factor = 1) {
    const Rows rows = v.rows();
    const std::vector<double> x = round_all(types.in, random.normal(v.values(), mean));
    const std::vector<double> d = round_all(types.out, random.normal(v.values()));
    const std::vector<double> old = round_all(types.in, random.normal(v.values()));
    const std::vector<double> gain = round_all(Type::f32, random.normal(v.columns, 1, 0.3));
    std::vector<double> expected(x.size());
    for (std::size_t first = 0; first < x.size(); first += v.columns) {
        const Statistics s = statistics_of(x.data() + first, v.columns, kind);
        double sum = 0;
        double product = 0;
        std::vector<double> gradients;
        for (int c = 0; c < v.columns; c++) {
            gradients.push_back(d[first + c] * (affine && kind != IDENTITY ? gain[c] : 1));
            sum += kind == LAYER ? gradients[c] / v.columns : 0;
            product += gradients[c] * (x[first + c] - s.mean) * s.factor / v.columns;
        }
        for (int c = 0; c < v.columns; c++) {
            const double y = (x[first + c] - s.mean) * s.factor;
            expected[first + c] = (kind == IDENTITY ? gradients[c] : s.factor * (gradients[c] - sum - y * product)) +
                                  (accumulate ? old[first + c] : 0);
        }
    }
    const Buffer device_x(types.in, rows.spread(x), v.layout.offset);
    const Buffer device_d(types.out, rows.spread(d), v.layout.offset);
    const Buffer separate(types.in, rows.spread(accumulate ? old : std::vector<double>(old.size(), NAN)),
                          v.layout.offset);
    const Buffer device_gain(Type::f32, gain);
    const Buffer& dX = in_place ? device_d : separate;
    const Launch l = norm_launch(v.count, v.heads, v.columns);
    const std::string kernel = format("sgpt_gradient_norm_%s_%s", name(types.in), name(types.out));
    Device::current().launch(kernel, l.grid, l.block, l.shared, device_x.address(),
                             affine ? device_gain.address() : Address{0}, device_d.address(), dX.address(), v.count,
                             v.columns, v.heads, rows.stride, rows.stride, rows.stride, kind, 1e-5f,
                             accumulate ? 1 : 0);
    const std::string what = format("%s %d x %d x %d, kind %d, added %d, in place %d", kernel.c_str(), v.count,
                                    v.heads, v.columns, kind, accumulate, in_place);
    // Rows of few columns have small deviations, by which gradients are divided.
    const double size = v.columns < 16 ? 320 : 4;
    expect_close(what, expected, rows.dense(dX.values(), what), tolerance(types.in, size * factor));
}

}  // namespace

SGPT_TEST(gradient_of_norms_of_every_width_and_type) {
    Random random(52);
    for (Pair types : TRAINED_PAIRS) {
        for (int columns : SIZES) {
            for (int kind : {LAYER, RMS, IDENTITY}) {
                const Vectors v{1 + random.below(5), 1, columns, LAYOUTS[random.below(4)]};
                const bool accumulate = random.flip();
                check_norm(random, types, v, kind, random.flip(), accumulate,
                           types.in == types.out && !accumulate && random.flip());
            }
        }
    }
}

SGPT_TEST(gradient_of_norms_of_wide_rows_and_heads) {
    Random random(53);
    for (int columns : {2047, 2048, 4096, 16384, 16385, 20000}) {
        check_norm(random, {Type::f32, Type::bf16}, {2, 1, columns, LAYOUTS[0]}, LAYER, true, true, false);
    }
    check_norm(random, {Type::f32, Type::f32}, {2, 1, 16385, LAYOUTS[1]}, RMS, true, false, true);
    check_norm(random, {Type::f32, Type::f32}, {3, 1, 769, LAYOUTS[0]}, LAYER, true, false, false, 300, 30);
    for (Type type : TRAINED) {
        for (int columns : {1, 3, 8, 16, 24, 64, 80, 128, 256}) {
            for (int kind : {LAYER, RMS}) {
                const Vectors v{1 + random.below(4), 3, columns, LAYOUTS[random.below(4)]};
                check_norm(random, {type, type}, v, kind, true, false, true);
            }
        }
    }
}

namespace {

const std::vector<double> packed_starts(const std::vector<int>& lengths) {
    std::vector<double> starts = {0};
    for (int length : lengths) {
        starts.push_back(starts.back() + length);
    }
    return starts;
}

// Statistics of the vectors of x, as the kernel gives them.
Buffer* device_statistics(const Buffer& x, const Vectors& v, int kind) {
    Buffer* statistics = new Buffer(Type::f32, 2 * static_cast<std::size_t>(v.count) * v.heads);
    Device::current().launch(format("sgpt_gradient_statistics_%s", name(x.type())),
                             {static_cast<unsigned>(ceil_div(static_cast<long long>(v.count) * v.heads, 8)), 1},
                             {256, 1}, 0, x.address(), statistics->address(), v.count, v.columns, v.heads,
                             v.rows().stride, kind, 1e-5f);
    return statistics;
}

enum { FIRST, MAX, MEAN, MEAN_SQRT_LENGTH, WEIGHTED_MEAN, LAST };
const std::vector<int> ALL = {FIRST, MAX, MEAN, MEAN_SQRT_LENGTH, WEIGHTED_MEAN, LAST};

// The weight of token t in the pooled vector, apart from maxima.
double pool_weight(int mode, int t, int skip, int length) {
    const double kept = length - skip;
    switch (mode) {
        case FIRST:
            return t == skip;
        case MEAN:
            return 1 / kept;
        case MEAN_SQRT_LENGTH:
            return 1 / std::sqrt(kept);
        case WEIGHTED_MEAN:
            return (t + 1) / (kept * (skip + 1 + length) / 2);
        default:
            return t + 1 == length;
    }
}

void check_pool(const std::vector<int>& lengths, const std::vector<int>& skip, int columns, int kind, bool affine,
                const std::vector<int>& modes, int accumulate = 0, int pad = 0, bool equal = false) {
    static Random random(54);
    const int sequences = static_cast<int>(lengths.size());
    const std::vector<double> starts = packed_starts(lengths);
    const int tokens = static_cast<int>(starts.back());
    // The rows of sequences are no neighbours, and each is in one of them.
    std::vector<double> rows(tokens);
    for (int i = 0; i < tokens; i++) {
        rows[i] = (i * 7 + 3) % tokens;
        if (tokens % 7 == 0) {
            rows[i] = tokens - 1 - i;
        }
    }
    const Vectors v{tokens, 1, columns, {pad, 0}};
    std::vector<double> x = round_all(Type::f32, random.normal(v.values()));
    for (std::size_t i = 0; i < x.size() && equal; i++) {
        x[i] = x[i % columns];
    }
    const std::vector<double> gain = round_all(Type::f32, random.normal(columns, 0, 1));
    const std::vector<double> bias = round_all(Type::f32, random.normal(columns, 0, 1));
    const int mode_count = static_cast<int>(modes.size());
    const std::vector<double> d = round_all(Type::f32, random.normal(sequences * mode_count * columns));
    const std::vector<double> old = round_all(Type::f32, random.normal(v.values()));
    std::vector<double> expected = accumulate ? old : std::vector<double>(v.values());
    for (int s = 0; s < sequences; s++) {
        const auto row = [&](int t) { return static_cast<std::size_t>(rows[static_cast<int>(starts[s]) + t]); };
        for (int m = 0; m < mode_count; m++) {
            for (int c = 0; c < columns; c++) {
                const double gradient = d[(s * mode_count + m) * columns + c];
                int largest = -1;
                double most = -INFINITY;
                for (int t = skip[s]; t < lengths[s]; t++) {
                    const Statistics norm = statistics_of(x.data() + row(t) * columns, columns, kind);
                    double value = (x[row(t) * columns + c] - norm.mean) * norm.factor;
                    value = affine && kind != IDENTITY ? value * gain[c] + bias[c] : value;
                    if (value > most) {
                        most = value;
                        largest = t;
                    }
                }
                for (int t = skip[s]; t < lengths[s]; t++) {
                    expected[row(t) * columns + c] +=
                        gradient * (modes[m] == MAX ? t == largest : pool_weight(modes[m], t, skip[s], lengths[s]));
                }
            }
        }
    }
    long long packed = 0;
    for (int m = 0; m < mode_count; m++) {
        packed |= static_cast<long long>(modes[m]) << 4 * m;
    }
    const Buffer device_x(Type::f32, v.rows().spread(x));
    const Buffer* statistics = device_statistics(device_x, v, kind);
    const Buffer device_rows(Type::i32, rows);
    const Buffer device_starts(Type::i32, starts);
    const Buffer device_skip(Type::i32, std::vector<double>(skip.begin(), skip.end()));
    const Buffer device_gain(Type::f32, gain);
    const Buffer device_bias(Type::f32, bias);
    const Buffer device_d(Type::f32, d);
    const Buffer dNormed(Type::f32, v.rows().spread(accumulate ? old : std::vector<double>(old.size(), NAN)));
    Device::current().launch("sgpt_gradient_pool",
                             {static_cast<unsigned>(sequences), static_cast<unsigned>(ceil_div(columns, 128))},
                             {128, 1}, 64, device_x.address(), statistics->address(), device_rows.address(),
                             device_starts.address(), device_skip.address(),
                             affine ? device_gain.address() : Address{0}, affine ? device_bias.address() : Address{0},
                             device_d.address(), dNormed.address(), sequences, columns, v.rows().stride,
                             mode_count * columns, v.rows().stride, kind, packed, mode_count, accumulate);
    delete statistics;
    const std::string what = format("gradient of pooling %d sequences, %d columns, kind %d, %d modes, added %d",
                                    sequences, columns, kind, mode_count, accumulate);
    expect_close(what, expected, v.rows().dense(dNormed.values(), what), {1e-5, 1e-5});
}

}  // namespace

SGPT_TEST(gradient_of_pooling) {
    for (int columns : {1, 3, 16, 33, 127, 128, 130, 384}) {
        for (int kind : {LAYER, RMS, IDENTITY}) {
            check_pool({1, 5, 2, 33}, {0, 0, 0, 0}, columns, kind, columns % 2 == 0, ALL, 0, kind);
            check_pool({1, 5, 2, 33}, {0, 2, 1, 30}, columns, kind, columns % 3 == 0, ALL, 1);
        }
    }
    for (int mode : ALL) {
        check_pool({7, 4, 1, 2, 90}, {7, 100, 1, 0, 2147483647}, 33, LAYER, true, {mode});
        check_pool({3, 1, 200}, {0, 0, 2}, 36, RMS, true, {mode, MAX});
    }
}

SGPT_TEST(gradient_of_maxima_goes_to_the_first) {
    check_pool({5, 9}, {0, 2}, 20, IDENTITY, false, {MAX}, 0, 0, true);
    check_pool({5, 9}, {0, 2}, 20, LAYER, true, {MAX, MEAN}, 0, 0, true);
}

namespace {

void finish(const Buffer& partial, const Buffer& out, int slices, int columns) {
    Device::current().launch("sgpt_sums_finish", {static_cast<unsigned>(ceil_div(columns, 128)), 1}, {128, 1}, 0,
                             partial.address(), out.address(), slices, columns);
}

void check_column_sums(Random& random, Type type, int count, int columns, int slice, Layout layout) {
    const Rows rows{count, columns, stride_of(columns, layout)};
    const std::vector<double> d = round_all(type, random.normal(static_cast<std::size_t>(count) * columns));
    std::vector<double> expected = round_all(Type::f32, random.normal(columns));
    const Buffer out(Type::f32, expected);
    for (std::size_t i = 0; i < d.size(); i++) {
        expected[i % columns] += d[i];
    }
    const int slices = static_cast<int>(ceil_div(count, slice));
    const Buffer device_d(type, rows.spread(d), layout.offset);
    const Buffer partial(Type::f32, static_cast<std::size_t>(slices) * columns);
    Device::current().launch(format("sgpt_sums_columns_%s", name(type)),
                             {static_cast<unsigned>(ceil_div(columns, 128)), static_cast<unsigned>(slices)}, {32, 8},
                             4096, device_d.address(), partial.address(), count, columns, rows.stride, slice);
    finish(partial, out, slices, columns);
    expect_close(format("sums of columns %s %d x %d, slices of %d", name(type), count, columns, slice), expected,
                 out.values(), {2e-6 * std::sqrt(count), 1e-6});
}

void check_gain_sums(Random& random, Pair types, Vectors v, int kind, int slice) {
    const Rows rows = v.rows();
    const std::vector<double> x = round_all(types.in, random.normal(v.values(), 0.5));
    const std::vector<double> d = round_all(types.out, random.normal(v.values()));
    std::vector<double> expected = round_all(Type::f32, random.normal(v.columns));
    const Buffer out(Type::f32, expected);
    for (std::size_t first = 0; first < x.size(); first += v.columns) {
        const Statistics s = statistics_of(x.data() + first, v.columns, kind);
        for (int c = 0; c < v.columns; c++) {
            expected[c] += d[first + c] * (x[first + c] - s.mean) * s.factor;
        }
    }
    const Buffer device_x(types.in, rows.spread(x), v.layout.offset);
    const Buffer device_d(types.out, rows.spread(d), v.layout.offset);
    const Buffer* statistics = device_statistics(device_x, v, kind);
    const int slices = static_cast<int>(ceil_div(static_cast<long long>(v.count) * v.heads, slice));
    const Buffer partial(Type::f32, static_cast<std::size_t>(slices) * v.columns);
    Device::current().launch(format("sgpt_sums_gain_%s_%s", name(types.in), name(types.out)),
                             {static_cast<unsigned>(ceil_div(v.columns, 128)), static_cast<unsigned>(slices)}, {32, 8},
                             4096, device_x.address(), statistics->address(), device_d.address(), partial.address(),
                             v.count, v.columns, v.heads, rows.stride, rows.stride, slice);
    delete statistics;
    finish(partial, out, slices, v.columns);
    expect_close(format("sums of gains %s %s %d x %d x %d, kind %d, slices of %d", name(types.in), name(types.out),
                        v.count, v.heads, v.columns, kind, slice),
                 expected, out.values(), {1e-5 * std::sqrt(v.count * v.heads), 1e-5});
}

}  // namespace

SGPT_TEST(sums_of_columns) {
    Random random(55);
    for (Type type : TRAINED) {
        for (int columns : SIZES) {
            check_column_sums(random, type, 1 + random.below(40), columns, 16, LAYOUTS[random.below(4)]);
        }
        for (int count : {1, 7, 8, 9, 255, 256, 257, 1000}) {
            check_column_sums(random, type, count, 130, 256, LAYOUTS[random.below(4)]);
        }
    }
}

SGPT_TEST(sums_of_gains) {
    Random random(56);
    for (Pair types : TRAINED_PAIRS) {
        for (int columns : SIZES) {
            // Deviations of one or two values are too small to compare by.
            const int kind = columns < 3 ? RMS : random.below(3);
            check_gain_sums(random, types, {1 + random.below(40), 1, columns, LAYOUTS[random.below(4)]}, kind, 16);
        }
        for (int heads : {2, 3, 5}) {
            check_gain_sums(random, types, {70, heads, 64, LAYOUTS[random.below(4)]}, RMS, 256);
            check_gain_sums(random, types, {70, heads, 20, LAYOUTS[random.below(4)]}, LAYER, 8);
        }
    }
}

SGPT_TEST(sums_of_rows) {
    Random random(57);
    for (Type type : TRAINED) {
        for (int columns : SIZES) {
            const Layout layout = LAYOUTS[random.below(4)];
            const std::vector<int> sizes = {1, 3, 1, 20, 2};
            const std::vector<double> starts = packed_starts(sizes);
            const int count = static_cast<int>(starts.back());
            const std::vector<double> targets = {4, 0, 6, 1, 5};
            std::vector<double> order(count);
            for (int i = 0; i < count; i++) {
                order[i] = (i * 5 + 2) % count;
            }
            const Rows rows{count, columns, stride_of(columns, layout)};
            const std::vector<double> d = round_all(type, random.normal(static_cast<std::size_t>(count) * columns));
            std::vector<double> expected = round_all(Type::f32, random.normal(7 * columns));
            const Buffer out(Type::f32, expected, layout.offset);
            for (std::size_t g = 0; g < sizes.size(); g++) {
                for (int i = static_cast<int>(starts[g]); i < starts[g + 1]; i++) {
                    for (int c = 0; c < columns; c++) {
                        expected[static_cast<int>(targets[g]) * columns + c] +=
                            d[static_cast<int>(order[i]) * columns + c];
                    }
                }
            }
            const Buffer device_d(type, rows.spread(d), layout.offset);
            const Buffer device_order(Type::i32, order);
            const Buffer device_starts(Type::i32, starts);
            const Buffer device_targets(Type::i32, targets);
            const int groups = static_cast<int>(sizes.size());
            const Launch l = row_grid(groups, columns, 4);
            Device::current().launch(format("sgpt_sums_rows_%s", name(type)), l.grid, l.block, l.shared,
                                     device_d.address(), device_order.address(), device_starts.address(),
                                     device_targets.address(), out.address(), groups, columns, rows.stride);
            expect_close(format("sums of rows %s, %d columns", name(type), columns), expected, out.values(),
                         {1e-5, 1e-6});
        }
    }
}
