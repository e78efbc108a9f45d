// embed, norm, rotary, softmax.
#include "rows.h"

using namespace test;

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
                const double scale = random.flip() ? 1 : 5.5;
                std::vector<double> ids(tokens);
                for (double& id : ids) {
                    id = random.below(18);
                }
                const Rows out{tokens, columns, stride};
                const std::vector<double> old = round_all(out_type, random.normal(tokens * columns));
                std::vector<double> expected(old.size());
                for (std::size_t i = 0; i < old.size(); i++) {
                    const int id = static_cast<int>(ids[i / columns]) + offset;
                    expected[i] = scale * values[id * columns + i % columns] + (accumulate ? old[i] : 0);
                }
                const Buffer device_table(table_type, table.spread(values), layout.offset);
                const Buffer device_ids(Type::i32, ids);
                const Buffer device_out(out_type, out.spread(old), layout.offset);
                const Launch l = row_grid(tokens, columns, vector_width(table_type, out_type));
                const std::string kernel = format("sgpt_embed_%s_%s", name(table_type), name(out_type));
                Device::current().launch(kernel, l.grid, l.block, l.shared, device_table.address(),
                                         device_ids.address(), device_out.address(), tokens, columns, stride, stride,
                                         offset, accumulate, static_cast<float>(scale));
                const std::string what =
                    format("%s %d of %d, stride %d, times %g", kernel.c_str(), tokens, columns, stride, scale);
                const bool exact = accumulate == 0 && out_type == Type::f32 && scale == 1;
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
        y[i] =
            (x[i] - mean) / std::sqrt(squares + epsilon) * (gain.empty() ? 1 : gain[i]) + (bias.empty() ? 0 : bias[i]);
    }
    return y;
}

// One launch; `chosen`: through an index of rows. In place, or added to what is there, if requested.
void check_norm(Random& random, Pair types, int columns, int heads, int kind, bool affine, Layout layout, bool chosen,
                bool in_place, double mean, double deviation, double factor, bool added = false) {
    const int row_columns = heads * columns;
    const int count = 1 + random.below(5);
    const Rows rows{count, row_columns, stride_of(row_columns, layout)};
    const std::vector<double> x =
        round_all(types.in, random.normal(static_cast<std::size_t>(count) * row_columns, mean, deviation));
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
    std::vector<double> old(expected.size(), NAN);
    if (added) {
        old = round_all(types.out, random.normal(expected.size()));
        for (std::size_t i = 0; i < expected.size(); i++) {
            expected[i] += old[i];
        }
    }
    const Buffer device_x(types.in, rows.spread(x), layout.offset);
    const Buffer device_index(Type::i32, index);
    const Buffer device_gain(Type::f32, affine ? gain : std::vector<double>{0});
    const Buffer device_bias(Type::f32, affine ? bias : std::vector<double>{0});
    const Buffer separate(types.out, rows.spread(old), layout.offset);
    const Buffer& out = in_place ? device_x : separate;
    const Launch l = norm_launch(count, heads, columns);
    const std::string kernel = format("sgpt_norm_%s_%s", name(types.in), name(types.out));
    Device::current().launch(kernel, l.grid, l.block, l.shared, device_x.address(),
                             chosen ? device_index.address() : Address{0}, affine ? device_gain.address() : Address{0},
                             affine ? device_bias.address() : Address{0}, out.address(), count, columns, heads,
                             rows.stride, rows.stride, kind, 1e-5f, added ? 1 : 0);
    const std::string what = format("%s %d x %d x %d, kind %d, stride %d, added %d", kernel.c_str(), count, heads,
                                    columns, kind, rows.stride, added);
    expect_close(what, expected, rows.dense(out.values(), what), tolerance(types.out, factor));
}

}  // namespace

SGPT_TEST(norm_of_every_width_and_type) {
    Random random(2);
    for (Pair types : PAIRS) {
        for (int columns : SIZES) {
            for (int kind : {LAYER, RMS, IDENTITY}) {
                const bool in_place = types.in == types.out && random.flip();
                check_norm(random, types, columns, 1, kind, random.flip(), LAYOUTS[random.below(4)],
                           !in_place && random.flip(), in_place, 0, 1, 1);
            }
        }
    }
}

SGPT_TEST(norm_added_to_rows) {
    Random random(10);
    for (Pair types : PAIRS) {
        for (int columns : SIZES) {
            const int kind = random.below(3);
            check_norm(random, types, columns, 1, kind, random.flip(), LAYOUTS[random.below(4)], random.flip(), false,
                       0, 1, 1, true);
        }
        check_norm(random, types, 16400, 1, RMS, true, LAYOUTS[random.below(4)], false, false, 0, 1, 1, true);
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
                check_norm(random, {type, type}, columns, 3, kind, true, LAYOUTS[random.below(4)], false, true, 0, 1,
                           1);
            }
        }
    }
}

SGPT_TEST(norm_of_all_heads_together) {
    Random random(11);
    for (Type type : TYPES) {
        for (int columns : {768, 2048, 5120, 8190}) {
            check_norm(random, {type, type}, columns, 1, RMS, true, LAYOUTS[random.below(4)], false, true, 0, 1, 1);
        }
    }
}

SGPT_TEST(norm_far_from_zero) {
    Random random(5);
    for (int columns : {64, 384, 769, 3001}) {
        check_norm(random, {Type::f32, Type::f32}, columns, 1, LAYER, false, LAYOUTS[0], false, false, 300, 1, 30);
    }
}

SGPT_TEST(rotary_in_both_layouts) {
    Random random(9);
    for (Type type : TYPES) {
        for (const auto& [head_dim, rotary_dim] : std::vector<std::pair<int, int>>{{2, 2},
                                                                                   {8, 2},
                                                                                   {10, 6},
                                                                                   {16, 16},
                                                                                   {24, 8},
                                                                                   {32, 16},
                                                                                   {64, 32},
                                                                                   {64, 64},
                                                                                   {80, 20},
                                                                                   {96, 24},
                                                                                   {128, 128},
                                                                                   {256, 64}}) {
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
                const std::string what = format("%s %d heads of %d, %d turned, interleaved %d", kernel.c_str(), heads,
                                                head_dim, rotary_dim, interleaved);
                expect_close(what, expected, rows.dense(qkv.values(), what), tolerance(type));
            }
        }
    }
}

SGPT_TEST(softmax_of_every_size) {
    Random random(12);
    std::vector<int> sizes = SIZES;
    sizes.insert(sizes.end(), {4096, 16384, 16385, 20000});
    for (Type type : TYPES) {
        for (int columns : sizes) {
            const int groups = columns > 4000 ? 1 + random.below(2) : 1 + random.below(5);
            const int count = 1 + random.below(4);
            const Layout layout = LAYOUTS[random.below(4)];
            const Rows rows{count, groups * columns, stride_of(groups * columns, layout)};
            const double size = random.flip() ? 2 : 30;
            const std::vector<double> x =
                round_all(type, random.normal(static_cast<std::size_t>(count) * groups * columns, 5, size));
            std::vector<double> expected;
            for (int g = 0; g < count * groups; g++) {
                const double* from = x.data() + static_cast<std::ptrdiff_t>(g) * columns;
                const double most = *std::max_element(from, from + columns);
                double sum = 0;
                for (int c = 0; c < columns; c++) {
                    sum += std::exp(from[c] - most);
                }
                for (int c = 0; c < columns; c++) {
                    expected.push_back(std::exp(from[c] - most) / sum);
                }
            }
            const Buffer device_x(type, rows.spread(x), layout.offset);
            const Launch l = norm_launch(count, groups, columns);
            const std::string kernel = format("sgpt_softmax_%s", name(type));
            Device::current().launch(kernel, l.grid, l.block, l.shared, device_x.address(), count, columns, groups,
                                     rows.stride);
            const std::string what =
                format("%s %d x %d x %d, stride %d", kernel.c_str(), count, groups, columns, rows.stride);
            expect_close(what, expected, rows.dense(device_x.values(), what), {1e-7, unit(type) * 1.02 + 2e-5});
        }
    }
}

SGPT_TEST(softmax_of_infinities) {
    // −∞ is left out of the sum; NaN and +∞ spoil their own group only.
    const std::vector<double> x = {1, -INFINITY, 1, 1, 0, 0, NAN, 0, INFINITY, 0, 0, 0, 2, 2, 2, 2};
    const Buffer device_x(Type::f32, x);
    const Launch l = norm_launch(2, 2, 4);
    Device::current().launch("sgpt_softmax_f32", l.grid, l.block, l.shared, device_x.address(), 2, 4, 2, 8);
    const std::vector<double> y = device_x.values();
    for (int i = 4; i < 12; i++) {
        // exp(0 − ∞) is 0, and 0 / NaN is NaN.
        if (!std::isnan(y[i])) {
            fail(format("softmax beside NaN or infinity: value %d is %g", i, y[i]));
        }
    }
    const double third = 1.0 / 3;
    expect_close("softmax with -infinity", {third, 0, third, third}, {y[0], y[1], y[2], y[3]}, {1e-6, 0});
    expect_close("softmax beside other groups", {0.25, 0.25, 0.25, 0.25}, {y[12], y[13], y[14], y[15]}, {1e-6, 0});
}
