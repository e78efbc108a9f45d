// activation, gated, convert, transpose.
#include "rows.h"

using namespace test;

SGPT_TEST(activation_of_every_kind) {
    Random random(6);
    for (Pair types : PAIRS) {
        for (int activation = 0; activation < 8; activation++) {
            for (int columns : SIZES) {
                const int count = 1 + random.below(4);
                const Layout layout = LAYOUTS[random.below(4)];
                const Rows rows{count, columns, stride_of(columns, layout)};
                std::vector<double> x = round_all(types.in, random.normal(count * columns, 0, 3));
                // Large magnitudes, where exponentials overflow.
                x[0] = random.flip() ? 80 : -80;
                const bool biased = random.flip();
                const int accumulate = random.below(2);
                const bool in_place = types.in == types.out && accumulate == 0 && random.flip();
                const std::vector<double> bias = round_all(Type::f32, random.normal(columns));
                const std::vector<double> old = round_all(types.out, random.normal(count * columns));
                std::vector<double> expected(x.size());
                for (std::size_t i = 0; i < x.size(); i++) {
                    expected[i] =
                        activated(activation, x[i] + (biased ? bias[i % columns] : 0)) + (accumulate ? old[i] : 0);
                }
                const Buffer device_x(types.in, rows.spread(x), layout.offset);
                const Buffer device_bias(Type::f32, bias, random.below(2));
                const Buffer separate(types.out,
                                      accumulate ? rows.spread(old) : rows.spread(std::vector<double>(old.size(), NAN)),
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
                const Buffer out(types.out, std::vector<double>(static_cast<std::size_t>(count) * rows.stride, NAN),
                                 layout.offset);
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
                const std::vector<double> x =
                    round_all(in, random.normal(static_cast<std::size_t>(choice.stored) * columns));
                std::vector<double> expected;
                for (int j = 0; j < choice.count; j++) {
                    for (int c = 0; c < columns; c++) {
                        const int row = choice.first + j / choice.run * choice.step + j % choice.run;
                        expected.push_back(rounded(out, x[row * columns + c]));
                    }
                }
                const Buffer from(in, stored.spread(x), layout.offset);
                const Buffer to(out, std::vector<double>(static_cast<std::size_t>(made.count) * made.stride, NAN),
                                layout.offset);
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
                const std::vector<double> x =
                    round_all(in, random.normal(static_cast<std::size_t>(choice.stored) * columns));
                std::vector<double> expected;
                for (int j = 0; j < choice.count; j++) {
                    for (int k = 0; k < columns; k++) {
                        const int row = choice.first + j / choice.run * choice.step + j % choice.run;
                        expected.push_back(rounded(out, x[k * choice.stored + row]));
                    }
                }
                const Buffer from(in, stored.spread(x), layout.offset);
                const Buffer to(out, std::vector<double>(static_cast<std::size_t>(made.count) * made.stride, NAN),
                                layout.offset);
                const std::string kernel = format("sgpt_transpose_%s_%s", name(in), name(out));
                Device::current().launch(
                    kernel,
                    {static_cast<unsigned>(ceil_div(choice.count, 32)), static_cast<unsigned>(ceil_div(columns, 32))},
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
    const std::vector<double> values = {0.0,         INFINITY,    -INFINITY, 65504,     65519,       65520,
                                        -1e6,        0x1p-24,     0x1p-25,   0x1.8p-25, 0x1.004p-14, 0x1.ffcp-15,
                                        1 + 0x1p-11, 1 + 0x3p-11, 1e38,      3.4e38,    0x1p-130};
    for (Type in : TYPES) {
        for (Type out : TYPES) {
            const std::vector<double> x = round_all(in, values);
            const Buffer from(in, x);
            const Buffer to(out, x.size());
            const long long n = static_cast<long long>(x.size());
            const Launch l = row_grid(1, static_cast<int>(n), vector_width(in, out));
            Device::current().launch(format("sgpt_convert_%s_%s", name(in), name(out)), l.grid, l.block, l.shared,
                                     from.address(), to.address(), 1LL, n, n, n, 0LL, 1LL, 1LL);
            expect_close(format("special values %s to %s", name(in), name(out)), round_all(out, x), to.values(),
                         {0, 0});
        }
    }
}
