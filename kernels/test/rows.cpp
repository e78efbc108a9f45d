// embed, norm, activation, gated, rotary, convert, transpose.
#include <cmath>

#include "launch.h"

using namespace test;

namespace {

const std::vector<Type> TYPES = {Type::f32, Type::f16, Type::bf16};
// Every side of a thread's four and eight values, of a warp's and of a block's share.
const std::vector<int> SIZES = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 127, 128, 129, 255, 256, 384, 513, 1024, 1031};

struct Pair {
    Type in;
    Type out;
};
const std::vector<Pair> PAIRS = {{Type::f32, Type::f32}, {Type::f32, Type::f16},   {Type::f32, Type::bf16},
                                 {Type::f16, Type::f16}, {Type::bf16, Type::bf16}, {Type::f16, Type::f32},
                                 {Type::bf16, Type::f32}};

std::vector<double> round_all(Type type, std::vector<double> values) {
    for (double& value : values) {
        value = rounded(type, value);
    }
    return values;
}

// Rounding to the output type, after arithmetic in 32-bit floats on values around 1.
Tolerance tolerance(Type out, double factor = 1) {
    return {1e-5 * factor, out == Type::f32 ? 1e-5 : unit(out) * 1.02};
}

// Rows of `columns` values with `stride`; what lies between is NaN and must not be read or written.
struct Rows {
    int count;
    int columns;
    int stride;

    std::vector<double> spread(const std::vector<double>& dense) const {
        std::vector<double> values(static_cast<std::size_t>(count) * stride, NAN);
        for (int r = 0; r < count; r++) {
            for (int c = 0; c < columns; c++) {
                values[static_cast<std::size_t>(r) * stride + c] = dense[static_cast<std::size_t>(r) * columns + c];
            }
        }
        return values;
    }

    std::vector<double> dense(const std::vector<double>& spread, const std::string& what) const {
        std::vector<double> values;
        for (int r = 0; r < count; r++) {
            for (int c = 0; c < stride; c++) {
                const double value = spread[static_cast<std::size_t>(r) * stride + c];
                if (c < columns) {
                    values.push_back(value);
                } else if (!std::isnan(value)) {
                    fail(format("%s: row %d is written past its end", what.c_str(), r));
                    return values;
                }
            }
        }
        return values;
    }

    Buffer* filled(Type type, int offset) const {
        return new Buffer(type, std::vector<double>(static_cast<std::size_t>(count) * stride, NAN), offset);
    }
};

// Strides and offsets: dense, a multiple of 16 bytes, and odd ones that forbid vectors.
struct Layout {
    int pad;
    int offset;
};
const std::vector<Layout> LAYOUTS = {{0, 0}, {-1, 0}, {1, 0}, {0, 1}};

int stride_of(int columns, Layout layout) {
    return layout.pad < 0 ? static_cast<int>(ceil_div(columns, 8) * 8) : columns + layout.pad;
}

}  // namespace

SGPT_TEST(embed_takes_rows_of_every_type) {
    Random random(1);
    for (Type table_type : TYPES) {
        for (Type out_type : TYPES) {
            for (int columns : SIZES) {
                const Layout layout = LAYOUTS[random.below(4)];
                const int stride = stride_of(columns, layout);
                const Rows table{20, columns, stride};
                const std::vector<double> values = round_all(table_type, random.normal(20 * columns));
                const int tokens = 1 + random.below(9);
                const int accumulate = random.below(2);
                const int offset = random.below(3);
                std::vector<double> ids(tokens);
                for (double& id : ids) {
                    id = random.below(18);
                }
                const Rows out{tokens, columns, stride};
                const std::vector<double> old = round_all(out_type, random.normal(tokens * columns));
                std::vector<double> expected(old.size());
                for (std::size_t i = 0; i < old.size(); i++) {
                    const int id = static_cast<int>(ids[i / columns]) + offset;
                    expected[i] = values[id * columns + i % columns] + (accumulate ? old[i] : 0);
                }
                const Buffer device_table(table_type, table.spread(values), layout.offset);
                const Buffer device_ids(Type::i32, ids);
                const Buffer device_out(out_type, out.spread(old), layout.offset);
                const Launch l = row_grid(tokens, columns, vector_width(table_type, out_type));
                const std::string kernel = format("sgpt_embed_%s_%s", name(table_type), name(out_type));
                Device::current().launch(kernel, l.grid, l.block, l.shared, device_table.address(),
                                         device_ids.address(), device_out.address(), tokens, columns, stride, stride,
                                         offset, accumulate);
                const std::string what = format("%s %d of %d, stride %d", kernel.c_str(), tokens, columns, stride);
                const bool exact = accumulate == 0 && out_type == Type::f32;
                expect_close(what, expected, out.dense(device_out.values(), what),
                             exact ? Tolerance{0, 0} : tolerance(out_type));
            }
        }
    }
}

namespace {

enum { LAYER, RMS, IDENTITY };

std::vector<double> normalised(const std::vector<double>& x, int kind, const std::vector<double>& gain,
                               const std::vector<double>& bias, double epsilon) {
    if (kind == IDENTITY) {
        return x;
    }
    const double n = static_cast<double>(x.size());
    double mean = 0;
    for (double value : x) {
        mean += kind == LAYER ? value / n : 0;
    }
    double squares = 0;
    for (double value : x) {
        squares += (value - mean) * (value - mean) / n;
    }
    std::vector<double> y(x.size());
    for (std::size_t i = 0; i < x.size(); i++) {
        y[i] = (x[i] - mean) / std::sqrt(squares + epsilon) * (gain.empty() ? 1 : gain[i]) + (bias.empty() ? 0 : bias[i]);
    }
    return y;
}

// One launch; `chosen`: through an index of rows. In place where that is asked for.
void check_norm(Random& random, Pair types, int columns, int heads, int kind, bool affine, Layout layout, bool chosen,
                bool in_place, double mean, double deviation, double factor) {
    const int row_columns = heads * columns;
    const int count = 1 + random.below(5);
    const Rows rows{count, row_columns, stride_of(row_columns, layout)};
    const std::vector<double> x = round_all(types.in, random.normal(static_cast<std::size_t>(count) * row_columns, mean, deviation));
    std::vector<double> gain;
    std::vector<double> bias;
    if (affine) {
        gain = round_all(Type::f32, random.normal(columns, 1, 0.3));
        bias = round_all(Type::f32, random.normal(columns, 0, 0.3));
    }
    std::vector<double> index(count);
    for (int r = 0; r < count; r++) {
        index[r] = chosen ? random.below(count) : r;
    }
    std::vector<double> expected;
    for (int r = 0; r < count; r++) {
        for (int h = 0; h < heads; h++) {
            const auto from = x.begin() + static_cast<std::ptrdiff_t>(index[r]) * row_columns + h * columns;
            const std::vector<double> y = normalised({from, from + columns}, kind, gain, bias, 1e-5f);
            expected.insert(expected.end(), y.begin(), y.end());
        }
    }
    const Buffer device_x(types.in, rows.spread(x), layout.offset);
    const Buffer device_index(Type::i32, index);
    const Buffer device_gain(Type::f32, affine ? gain : std::vector<double>{0});
    const Buffer device_bias(Type::f32, affine ? bias : std::vector<double>{0});
    Buffer* separate = in_place ? nullptr : rows.filled(types.out, layout.offset);
    const Buffer& out = in_place ? device_x : *separate;
    const Launch l = norm_launch(count, heads, columns);
    const std::string kernel = format("sgpt_norm_%s_%s", name(types.in), name(types.out));
    Device::current().launch(kernel, l.grid, l.block, l.shared, device_x.address(),
                             chosen ? device_index.address() : Address{0}, affine ? device_gain.address() : Address{0},
                             affine ? device_bias.address() : Address{0}, out.address(), count, columns, heads,
                             rows.stride, rows.stride, kind, 1e-5f);
    const std::string what = format("%s %d x %d x %d, kind %d, stride %d", kernel.c_str(), count, heads, columns, kind, rows.stride);
    expect_close(what, expected, rows.dense(out.values(), what), tolerance(types.out, factor));
    delete separate;
}

}  // namespace

SGPT_TEST(norm_of_every_width_and_type) {
    Random random(2);
    for (Pair types : PAIRS) {
        for (int columns : SIZES) {
            for (int kind : {LAYER, RMS, IDENTITY}) {
                const bool in_place = types.in == types.out && random.flip();
                check_norm(random, types, columns, 1, kind, random.flip(), LAYOUTS[random.below(4)], !in_place && random.flip(),
                           in_place, 0, 1, 1);
            }
        }
    }
}

SGPT_TEST(norm_of_wide_rows) {
    Random random(3);
    for (int columns : {2047, 2048, 4096, 5120, 8192, 16384, 16385, 20000}) {
        check_norm(random, {Type::f32, Type::bf16}, columns, 1, LAYER, true, LAYOUTS[0], false, false, 0, 1, 1);
    }
    check_norm(random, {Type::f32, Type::f32}, 16385, 1, RMS, true, LAYOUTS[1], false, true, 0, 1, 1);
}

SGPT_TEST(norm_of_heads_where_they_lie) {
    Random random(4);
    for (Type type : TYPES) {
        for (int columns : {1, 3, 8, 16, 24, 64, 80, 128, 256}) {
            for (int kind : {LAYER, RMS}) {
                check_norm(random, {type, type}, columns, 3, kind, true, LAYOUTS[random.below(4)], false, true, 0, 1, 1);
            }
        }
    }
}

SGPT_TEST(norm_far_from_zero) {
    Random random(5);
    for (int columns : {64, 384, 769, 3001}) {
        check_norm(random, {Type::f32, Type::f32}, columns, 1, LAYER, false, LAYOUTS[0], false, false, 300, 1, 30);
    }
}

namespace {

double activated(int activation, double x) {
    switch (activation) {
        case 1:
            return x < 0 ? 0 : x;
        case 2:
            return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
        case 3:
            return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
        case 4:
            return x / (1 + std::exp(-1.702 * x));
        case 5:
            return x / (1 + std::exp(-x));
        case 6:
            return std::tanh(x);
        case 7:
            return 1 / (1 + std::exp(-x));
        default:
            return x;
    }
}

}  // namespace

SGPT_TEST(activation_of_every_kind) {
    Random random(6);
    for (Pair types : PAIRS) {
        for (int activation = 0; activation < 8; activation++) {
            for (int columns : SIZES) {
                const int count = 1 + random.below(4);
                const Layout layout = LAYOUTS[random.below(4)];
                const Rows rows{count, columns, stride_of(columns, layout)};
                std::vector<double> x = round_all(types.in, random.normal(count * columns, 0, 3));
                // Far out, where exponentials overflow.
                x[0] = random.flip() ? 80 : -80;
                const bool biased = random.flip();
                const int accumulate = random.below(2);
                const bool in_place = types.in == types.out && accumulate == 0 && random.flip();
                const std::vector<double> bias = round_all(Type::f32, random.normal(columns));
                const std::vector<double> old = round_all(types.out, random.normal(count * columns));
                std::vector<double> expected(x.size());
                for (std::size_t i = 0; i < x.size(); i++) {
                    expected[i] = activated(activation, x[i] + (biased ? bias[i % columns] : 0)) + (accumulate ? old[i] : 0);
                }
                const Buffer device_x(types.in, rows.spread(x), layout.offset);
                const Buffer device_bias(Type::f32, bias, random.below(2));
                const Buffer separate(types.out, accumulate ? rows.spread(old) : rows.spread(std::vector<double>(old.size(), NAN)),
                                      layout.offset);
                const Buffer& out = in_place ? device_x : separate;
                const Launch l = row_grid(count, columns, vector_width(types.in, types.out));
                const std::string kernel = format("sgpt_activation_%s_%s", name(types.in), name(types.out));
                Device::current().launch(kernel, l.grid, l.block, l.shared, device_x.address(),
                                         biased ? device_bias.address() : Address{0}, out.address(), count, columns,
                                         rows.stride, rows.stride, activation, accumulate);
                const std::string what = format("%s %d: %d x %d", kernel.c_str(), activation, count, columns);
                expect_close(what, expected, rows.dense(out.values(), what), tolerance(types.out));
            }
        }
    }
}

SGPT_TEST(gated_activation_of_every_kind) {
    Random random(7);
    for (Pair types : PAIRS) {
        for (int activation = 0; activation < 8; activation++) {
            for (int columns : SIZES) {
                const int count = 1 + random.below(3);
                const Layout layout = LAYOUTS[random.below(4)];
                const Rows in{count, 2 * columns, stride_of(2 * columns, layout)};
                const Rows rows{count, columns, stride_of(columns, layout)};
                const std::vector<double> x = round_all(types.in, random.normal(count * 2 * columns, 0, 2));
                std::vector<double> expected;
                for (int r = 0; r < count; r++) {
                    for (int c = 0; c < columns; c++) {
                        const double* row = x.data() + static_cast<std::ptrdiff_t>(r) * 2 * columns;
                        expected.push_back(activated(activation, row[c]) * row[columns + c]);
                    }
                }
                const Buffer device_x(types.in, in.spread(x), layout.offset);
                const Buffer out(types.out, std::vector<double>(static_cast<std::size_t>(count) * rows.stride, NAN), layout.offset);
                const Launch l = row_grid(count, columns, vector_width(types.in, types.out));
                const std::string kernel = format("sgpt_gated_%s_%s", name(types.in), name(types.out));
                Device::current().launch(kernel, l.grid, l.block, l.shared, device_x.address(), out.address(), count,
                                         columns, in.stride, rows.stride, activation);
                const std::string what = format("%s %d: %d x %d", kernel.c_str(), activation, count, columns);
                expect_close(what, expected, rows.dense(out.values(), what), tolerance(types.out));
            }
        }
    }
}

SGPT_TEST(activation_of_more_rows_than_a_grid_has) {
    Random random(8);
    const int count = 65537;
    const std::vector<double> x = round_all(Type::f32, random.normal(count));
    const Buffer buffer(Type::f32, x);
    const Launch l = row_grid(count, 1, 4);
    Device::current().launch("sgpt_activation_f32_f32", l.grid, l.block, l.shared, buffer.address(), Address{0},
                             buffer.address(), count, 1, 1, 1, 1, 0);
    std::vector<double> expected(x);
    for (double& value : expected) {
        value = value < 0 ? 0 : value;
    }
    expect_close("activation of 65537 rows", expected, buffer.values(), {0, 0});
}

SGPT_TEST(rotary_in_both_layouts) {
    Random random(9);
    for (Type type : TYPES) {
        for (const auto& [head_dim, rotary_dim] : std::vector<std::pair<int, int>>{
                 {2, 2}, {8, 2}, {10, 6}, {16, 16}, {24, 8}, {32, 16}, {64, 32}, {64, 64}, {80, 20}, {96, 24}, {128, 128}, {256, 64}}) {
            for (int interleaved : {0, 1}) {
                const int heads = 1 + random.below(4);
                const int columns = (heads + 1) * head_dim;
                const Layout layout = LAYOUTS[random.below(4)];
                const int count = 1 + random.below(4);
                const Rows rows{count, columns, stride_of(columns, layout)};
                const int half = rotary_dim / 2;
                const int positions = 50;
                std::vector<double> cos(positions * half);
                std::vector<double> sin(positions * half);
                for (int t = 0; t < positions; t++) {
                    for (int p = 0; p < half; p++) {
                        const double angle = t * std::pow(10000.0, -2.0 * p / rotary_dim);
                        cos[t * half + p] = rounded(Type::f32, 1.1 * std::cos(angle));
                        sin[t * half + p] = rounded(Type::f32, 1.1 * std::sin(angle));
                    }
                }
                const std::vector<double> x = round_all(type, random.normal(static_cast<std::size_t>(count) * columns));
                std::vector<double> expected = x;
                std::vector<double> where(count);
                for (int r = 0; r < count; r++) {
                    const int t = random.below(positions);
                    where[r] = t;
                    for (int h = 0; h < heads; h++) {
                        for (int p = 0; p < half; p++) {
                            const int base = r * columns + h * head_dim;
                            const int first = base + (interleaved ? 2 * p : p);
                            const int second = base + (interleaved ? 2 * p + 1 : p + half);
                            const double c = cos[t * half + p];
                            const double s = sin[t * half + p];
                            expected[first] = x[first] * c - x[second] * s;
                            expected[second] = x[first] * s + x[second] * c;
                        }
                    }
                }
                const Buffer qkv(type, rows.spread(x), layout.offset);
                const Buffer device_positions(Type::i32, where);
                const Buffer device_cos(Type::f32, cos);
                const Buffer device_sin(Type::f32, sin);
                const std::string kernel = format("sgpt_rotary_%s", name(type));
                Device::current().launch(kernel, {static_cast<unsigned>(count), 1}, {128, 1}, 0, qkv.address(),
                                         device_positions.address(), device_cos.address(), device_sin.address(), count,
                                         heads, head_dim, rotary_dim, rows.stride, interleaved);
                const std::string what = format("%s %d heads of %d, %d turned, interleaved %d", kernel.c_str(), heads, head_dim,
                                                rotary_dim, interleaved);
                expect_close(what, expected, rows.dense(qkv.values(), what), tolerance(type));
            }
        }
    }
}

namespace {

struct Choice {
    int first;
    int run;
    int step;
    int count;
    int stored;
};

Choice random_choice(Random& random) {
    if (random.flip()) {
        const int count = 1 + random.below(70);
        const int first = random.below(3);
        return {first, count, count, count, first + count};
    }
    const int run = 1 + random.below(9);
    const int runs = 1 + random.below(5);
    const int first = random.below(3);
    return {first, run, 3 * run, run * runs, first + 3 * run * runs};
}

}  // namespace

SGPT_TEST(convert_chooses_and_converts_rows) {
    Random random(10);
    for (Type in : TYPES) {
        for (Type out : TYPES) {
            for (int columns : SIZES) {
                const Choice choice = random_choice(random);
                const Layout layout = LAYOUTS[random.below(4)];
                const Rows stored{choice.stored, columns, stride_of(columns, layout)};
                const Rows made{choice.count, columns, stride_of(columns, layout)};
                const std::vector<double> x = round_all(in, random.normal(static_cast<std::size_t>(choice.stored) * columns));
                std::vector<double> expected;
                for (int j = 0; j < choice.count; j++) {
                    for (int c = 0; c < columns; c++) {
                        const int row = choice.first + j / choice.run * choice.step + j % choice.run;
                        expected.push_back(rounded(out, x[row * columns + c]));
                    }
                }
                const Buffer from(in, stored.spread(x), layout.offset);
                const Buffer to(out, std::vector<double>(static_cast<std::size_t>(made.count) * made.stride, NAN), layout.offset);
                const Launch l = row_grid(choice.count, columns, vector_width(in, out));
                const std::string kernel = format("sgpt_convert_%s_%s", name(in), name(out));
                Device::current().launch(kernel, l.grid, l.block, l.shared, from.address(), to.address(),
                                         static_cast<long long>(choice.count), static_cast<long long>(columns),
                                         static_cast<long long>(stored.stride), static_cast<long long>(made.stride),
                                         static_cast<long long>(choice.first), static_cast<long long>(choice.run),
                                         static_cast<long long>(choice.step));
                const std::string what = format("%s %d x %d", kernel.c_str(), choice.count, columns);
                expect_close(what, expected, made.dense(to.values(), what), {0, 0});
            }
        }
    }
}

SGPT_TEST(transpose_chooses_and_converts_rows) {
    Random random(11);
    for (Type in : TYPES) {
        for (Type out : TYPES) {
            for (int columns : {1, 7, 31, 32, 33, 64, 100}) {
                const Choice choice = random_choice(random);
                const Layout layout = LAYOUTS[random.below(4)];
                const Rows stored{columns, choice.stored, stride_of(choice.stored, layout)};
                const Rows made{choice.count, columns, stride_of(columns, layout)};
                const std::vector<double> x = round_all(in, random.normal(static_cast<std::size_t>(choice.stored) * columns));
                std::vector<double> expected;
                for (int j = 0; j < choice.count; j++) {
                    for (int k = 0; k < columns; k++) {
                        const int row = choice.first + j / choice.run * choice.step + j % choice.run;
                        expected.push_back(rounded(out, x[k * choice.stored + row]));
                    }
                }
                const Buffer from(in, stored.spread(x), layout.offset);
                const Buffer to(out, std::vector<double>(static_cast<std::size_t>(made.count) * made.stride, NAN), layout.offset);
                const std::string kernel = format("sgpt_transpose_%s_%s", name(in), name(out));
                Device::current().launch(
                    kernel, {static_cast<unsigned>(ceil_div(choice.count, 32)), static_cast<unsigned>(ceil_div(columns, 32))},
                    {32, 8}, 4224, from.address(), to.address(), static_cast<long long>(choice.count),
                    static_cast<long long>(columns), static_cast<long long>(stored.stride),
                    static_cast<long long>(made.stride), static_cast<long long>(choice.first),
                    static_cast<long long>(choice.run), static_cast<long long>(choice.step));
                const std::string what = format("%s %d x %d", kernel.c_str(), choice.count, columns);
                expect_close(what, expected, made.dense(to.values(), what), {0, 0});
            }
        }
    }
}

SGPT_TEST(convert_keeps_special_values) {
    const std::vector<double> values = {0.0, INFINITY, -INFINITY, 65504, 65519, 65520, -1e6, 0x1p-24, 0x1p-25, 0x1.8p-25,
                                        0x1.004p-14, 0x1.ffcp-15, 1 + 0x1p-11, 1 + 0x3p-11, 1e38, 3.4e38, 0x1p-130};
    for (Type in : TYPES) {
        for (Type out : TYPES) {
            const std::vector<double> x = round_all(in, values);
            const Buffer from(in, x);
            const Buffer to(out, x.size());
            const long long n = static_cast<long long>(x.size());
            const Launch l = row_grid(1, static_cast<int>(n), vector_width(in, out));
            Device::current().launch(format("sgpt_convert_%s_%s", name(in), name(out)), l.grid, l.block, l.shared,
                                     from.address(), to.address(), 1LL, n, n, n, 0LL, 1LL, 1LL);
            expect_close(format("special values %s to %s", name(in), name(out)), round_all(out, x), to.values(), {0, 0});
        }
    }
}
