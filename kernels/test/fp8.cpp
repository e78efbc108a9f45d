// Rows as e4m3 with scales, and what follows products of them.
#include "rows.h"

using namespace test;

namespace {

// Multiples of 16 and others, within the registers of one to 32 warps, and beyond.
const std::vector<int> WIDTHS = {1, 4, 7, 16, 48, 256, 511, 528, 1040, 16384, 16400};

struct EightBits {
    std::vector<double> values;
    std::vector<double> scales;
};

// The rule of README in 32-bit floats.
EightBits quantised(const std::vector<double>& x, int count, int columns) {
    EightBits result;
    for (int r = 0; r < count; r++) {
        const auto row = x.begin() + static_cast<std::ptrdiff_t>(r) * columns;
        float largest = 0x1p-100f;
        for (int c = 0; c < columns; c++) {
            largest = std::fmax(largest, std::fabs(static_cast<float>(row[c])));
        }
        const float factor = 448.0f / largest;
        result.scales.push_back(largest / 448.0f);
        for (int c = 0; c < columns; c++) {
            result.values.push_back(rounded(Type::e4m3, static_cast<float>(row[c]) * factor));
        }
    }
    return result;
}

void quantise(const Buffer& x, const Buffer& out, const Buffer& scales, int count, int columns, int stride) {
    const Launch l = norm_launch(count, 1, columns);
    Device::current().launch(format("sgpt_quantise_%s", name(x.type())), l.grid, l.block, l.shared, x.address(),
                             out.address(), scales.address(), count, columns, stride);
}

void check_quantise(const std::string& what, Type type, const std::vector<double>& x, int count, int columns,
                    Layout layout) {
    const Rows rows{count, columns, stride_of(columns, layout)};
    const Buffer device_x(type, rows.spread(x), layout.offset);
    const Buffer out(Type::e4m3, x.size(), layout.offset);
    const Buffer scales(Type::f32, static_cast<std::size_t>(count));
    quantise(device_x, out, scales, count, columns, rows.stride);
    const EightBits expected = quantised(x, count, columns);
    expect_close(what, expected.values, out.values(), {0, 0});
    expect_close(what + ", scales", expected.scales, scales.values(), {0, 0});
}

// Of `count` rows, of very different magnitudes.
std::vector<double> rows_of_every_size(Random& random, Type type, int count, int columns) {
    std::vector<double> x = random.normal(static_cast<std::size_t>(count) * columns);
    for (std::size_t i = 0; i < x.size(); i++) {
        x[i] = std::ldexp(x[i], static_cast<int>(i / columns) % 3 * 6 - 6);
    }
    return round_all(type, x);
}

void expect_same(const std::string& what, const Buffer& expected, const Buffer& actual) {
    expect_close(what, expected.values(), actual.values(), {0, 0});
}

}  // namespace

SGPT_TEST(quantise_of_every_width_and_type) {
    Random random(31);
    for (Type type : TYPES) {
        for (int columns : WIDTHS) {
            const int count = 1 + random.below(columns > 2000 ? 2 : 6);
            const Layout layout = LAYOUTS[random.below(4)];
            check_quantise(format("quantise %s %d x %d", name(type), count, columns), type,
                           rows_of_every_size(random, type, count, columns), count, columns, layout);
        }
    }
}

// With 448 in the row values are not scaled: what is compared is the conversion alone.
SGPT_TEST(quantise_rounds_every_value_exactly) {
    std::vector<double> points = {448, -448};
    for (int bits = 0; bits < 0x7f; bits++) {
        auto value = [](int b) { return b >> 3 == 0 ? std::ldexp(b & 7, -9) : std::ldexp(8 + (b & 7), (b >> 3) - 10); };
        const float tie = static_cast<float>((value(bits) + value(std::min(bits + 1, 0x7e))) / 2);
        for (float point : {static_cast<float>(value(bits)), tie, std::nextafter(tie, 0.0f),
                            std::min(std::nextafter(tie, 1000.0f), 448.0f)}) {
            points.push_back(point);
            points.push_back(-point);
        }
    }
    check_quantise("every point of rounding", Type::f32, points, 1, static_cast<int>(points.size()), {0, 0});
    std::vector<double> brains;
    std::vector<double> halves;
    for (int bits = 0; bits < 0x8000; bits++) {
        const int upper = bits >> 7;
        const double brain = upper == 0 ? std::ldexp(bits, -133) : std::ldexp(128 + (bits & 127), upper - 134);
        const int exponent = bits >> 10;
        const double half = exponent == 0 ? std::ldexp(bits, -24) : std::ldexp(1024 + (bits & 1023), exponent - 25);
        if (brain <= 448) {
            brains.insert(brains.end(), {brain, -brain});
        }
        if (half <= 448) {
            halves.insert(halves.end(), {half, -half});
        }
    }
    check_quantise("every bf16", Type::bf16, brains, 1, static_cast<int>(brains.size()), {0, 0});
    check_quantise("every f16", Type::f16, halves, 1, static_cast<int>(halves.size()), {0, 0});
}

SGPT_TEST(quantise_of_rows_without_a_scale) {
    check_quantise("zeros", Type::f32, std::vector<double>(64, 0), 2, 32, {0, 0});
    std::vector<double> tiny(16, 0x1p-140);
    tiny[3] = 0x1p-103;
    check_quantise("next to nothing", Type::f32, tiny, 1, 16, {0, 0});
    std::vector<double> huge(16, 1e30);
    huge[5] = -3.4028234e38f;
    check_quantise("the largest float", Type::f32, round_all(Type::f32, huge), 1, 16, {0, 0});
    // NaN stays, and says nothing about the others; beside an infinity nothing is left.
    const Buffer x(Type::f32, {NAN, 1, 2, 4, INFINITY, 1, -2, 4});
    const Buffer out(Type::e4m3, std::size_t{8});
    const Buffer scales(Type::f32, std::size_t{2});
    quantise(x, out, scales, 2, 4, 4);
    const std::vector<double> values = out.values();
    if (!std::isnan(values[0]) || values[1] != 112 || values[3] != 448 || !std::isnan(values[4]) || values[5] != 0 ||
        scales.values()[1] != INFINITY) {
        fail("quantise of NaN and infinity");
    }
}

SGPT_TEST(rescale_of_every_kind) {
    Random random(32);
    for (Pair types : {Pair{Type::f32, Type::f32}, Pair{Type::bf16, Type::f32}, Pair{Type::bf16, Type::bf16}}) {
        for (int activation = 0; activation < 8; activation++) {
            for (int columns : {1, 7, 16, 48, 129, 528, 1040}) {
                const int count = 1 + random.below(4);
                const Layout layout = LAYOUTS[random.below(4)];
                const Rows rows{count, columns, stride_of(columns, layout)};
                const std::vector<double> x = round_all(types.in, random.normal(count * columns, 0, 300));
                const std::vector<double> row_scales = round_all(Type::f32, random.normal(count, 0.1, 0.02));
                const std::vector<double> column_scales = round_all(Type::f32, random.normal(columns, 0.1, 0.02));
                const bool biased = random.flip();
                const int accumulate = random.below(2);
                const bool in_place = types.in == types.out && accumulate == 0 && random.flip();
                const std::vector<double> bias = round_all(Type::f32, random.normal(columns));
                const std::vector<double> old = round_all(types.out, random.normal(count * columns));
                std::vector<double> expected(x.size());
                for (std::size_t i = 0; i < x.size(); i++) {
                    const double value = x[i] * row_scales[i / columns] * column_scales[i % columns];
                    expected[i] =
                        activated(activation, value + (biased ? bias[i % columns] : 0)) + (accumulate ? old[i] : 0);
                }
                const Buffer device_x(types.in, rows.spread(x), layout.offset);
                const Buffer device_rows(Type::f32, row_scales);
                const Buffer device_columns(Type::f32, column_scales, random.below(2));
                const Buffer device_bias(Type::f32, bias, random.below(2));
                const Buffer separate(types.out, rows.spread(accumulate ? old : std::vector<double>(old.size(), NAN)),
                                      layout.offset);
                const Buffer& out = in_place ? device_x : separate;
                const Launch l = row_grid(count, columns, vector_width(types.in, types.out));
                const std::string kernel = format("sgpt_rescale_%s_%s", name(types.in), name(types.out));
                Device::current().launch(kernel, l.grid, l.block, l.shared, device_x.address(), device_rows.address(),
                                         device_columns.address(), biased ? device_bias.address() : Address{0},
                                         out.address(), count, columns, rows.stride, rows.stride, activation,
                                         accumulate);
                const std::string what = format("%s %d: %d x %d", kernel.c_str(), activation, count, columns);
                expect_close(what, expected, rows.dense(out.values(), what), tolerance(types.out, 3));
            }
        }
    }
}

// The kernels that give e4m3 as well give the bits of two kernels one after the other.

SGPT_TEST(rescale_quantise_is_rescale_and_quantise) {
    Random random(33);
    for (int columns : WIDTHS) {
        const int count = 1 + random.below(columns > 2000 ? 2 : 6);
        const std::size_t size = static_cast<std::size_t>(count) * columns;
        const int activation = random.below(8);
        const Buffer x(Type::bf16, round_all(Type::bf16, random.normal(size, 0, 300)));
        const Buffer rows(Type::f32, round_all(Type::f32, random.normal(count, 0.1, 0.02)));
        const Buffer scales(Type::f32, round_all(Type::f32, random.normal(columns, 0.1, 0.02)));
        const Buffer bias(Type::f32, round_all(Type::f32, random.normal(columns)));
        const Address biases = random.flip() ? bias.address() : 0;
        const Buffer plain(Type::bf16, size);
        const Launch grid = row_grid(count, columns, 8);
        Device::current().launch("sgpt_rescale_bf16_bf16", grid.grid, grid.block, grid.shared, x.address(),
                                 rows.address(), scales.address(), biases, plain.address(), count, columns, columns,
                                 columns, activation, 0);
        const Buffer expected(Type::e4m3, size);
        const Buffer expected_scales(Type::f32, static_cast<std::size_t>(count));
        quantise(plain, expected, expected_scales, count, columns, columns);
        const Buffer separate(Type::bf16, size);
        const Buffer& out = random.flip() ? separate : x;
        const Buffer actual(Type::e4m3, size);
        const Buffer actual_scales(Type::f32, static_cast<std::size_t>(count));
        const Launch l = norm_launch(count, 1, columns);
        Device::current().launch("sgpt_rescale_quantise", l.grid, l.block, l.shared, x.address(), rows.address(),
                                 scales.address(), biases, out.address(), actual.address(), actual_scales.address(),
                                 count, columns, columns, columns, activation);
        const std::string what = format("rescale_quantise %d: %d x %d", activation, count, columns);
        expect_same(what, plain, out);
        expect_same(what + ", e4m3", expected, actual);
        expect_same(what + ", scales", expected_scales, actual_scales);
    }
}

SGPT_TEST(quantise_gated_is_gated_and_quantise) {
    Random random(34);
    for (int columns : WIDTHS) {
        const int count = 1 + random.below(columns > 2000 ? 2 : 6);
        const std::size_t size = static_cast<std::size_t>(count) * columns;
        const int activation = random.below(8);
        const Buffer x(Type::bf16, round_all(Type::bf16, random.normal(2 * size)));
        const Buffer plain(Type::bf16, size);
        const Launch grid = row_grid(count, columns, 8);
        Device::current().launch("sgpt_gated_bf16_bf16", grid.grid, grid.block, grid.shared, x.address(),
                                 plain.address(), count, columns, 2 * columns, columns, activation);
        const Buffer expected(Type::e4m3, size);
        const Buffer expected_scales(Type::f32, static_cast<std::size_t>(count));
        quantise(plain, expected, expected_scales, count, columns, columns);
        const Buffer out(Type::bf16, size);
        const Buffer actual(Type::e4m3, size);
        const Buffer actual_scales(Type::f32, static_cast<std::size_t>(count));
        const Launch l = norm_launch(count, 1, columns);
        Device::current().launch("sgpt_quantise_gated", l.grid, l.block, l.shared, x.address(), out.address(),
                                 actual.address(), actual_scales.address(), count, columns, 2 * columns, columns,
                                 activation);
        const std::string what = format("quantise_gated %d: %d x %d", activation, count, columns);
        expect_same(what, plain, out);
        expect_same(what + ", e4m3", expected, actual);
        expect_same(what + ", scales", expected_scales, actual_scales);
    }
}

SGPT_TEST(norm_quantise_is_norm_and_quantise) {
    Random random(35);
    for (int columns : WIDTHS) {
        const int count = 1 + random.below(columns > 2000 ? 2 : 6);
        const std::size_t size = static_cast<std::size_t>(count) * columns;
        const int kind = random.below(3);
        const Buffer x(Type::f32, round_all(Type::f32, random.normal(size, 0.5, 2)));
        const Buffer gain(Type::f32, round_all(Type::f32, random.normal(columns, 1, 0.3)));
        const Buffer bias(Type::f32, round_all(Type::f32, random.normal(columns, 0, 0.3)));
        std::vector<double> index(count);
        for (double& row : index) {
            row = random.below(count);
        }
        const Buffer device_index(Type::i32, index);
        const Address chosen = random.flip() ? device_index.address() : 0;
        const Address gains = random.flip() ? gain.address() : 0;
        const Address biases = random.flip() ? bias.address() : 0;
        const Launch l = norm_launch(count, 1, columns);
        const Buffer plain(Type::bf16, size);
        Device::current().launch("sgpt_norm_f32_bf16", l.grid, l.block, l.shared, x.address(), chosen, gains, biases,
                                 plain.address(), count, columns, 1, columns, columns, kind, 1e-5f, 0);
        const Buffer expected(Type::e4m3, size);
        const Buffer expected_scales(Type::f32, static_cast<std::size_t>(count));
        quantise(plain, expected, expected_scales, count, columns, columns);
        const Buffer out(Type::bf16, size);
        const Buffer actual(Type::e4m3, size);
        const Buffer actual_scales(Type::f32, static_cast<std::size_t>(count));
        Device::current().launch("sgpt_norm_quantise_f32_bf16", l.grid, l.block, l.shared, x.address(), chosen, gains,
                                 biases, out.address(), actual.address(), actual_scales.address(), count, columns,
                                 columns, columns, kind, 1e-5f);
        const std::string what = format("norm_quantise %d: %d x %d", kind, count, columns);
        expect_same(what, plain, out);
        expect_same(what + ", e4m3", expected, actual);
        expect_same(what + ", scales", expected_scales, actual_scales);
    }
}
