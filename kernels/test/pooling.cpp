// Final norm and pooling; running log-probabilities.
#include <cmath>
#include <memory>

#include "launch.h"

using namespace test;

namespace {

enum { FIRST, MAX, MEAN, MEAN_SQRT_LENGTH, WEIGHTED_MEAN, LAST };

double pooled(const std::vector<double>& values, int skip, int mode) {
    const int n = static_cast<int>(values.size());
    if (skip >= n) {
        return 0;
    }
    double sum = 0;
    double weighted = 0;
    double weights = 0;
    double most = -INFINITY;
    for (int t = skip; t < n; t++) {
        sum += values[t];
        weighted += (t + 1.0) * values[t];
        weights += t + 1.0;
        most = std::max(most, values[t]);
    }
    switch (mode) {
        case FIRST:
            return values[skip];
        case MAX:
            return most;
        case MEAN:
            return sum / (n - skip);
        case MEAN_SQRT_LENGTH:
            return sum / std::sqrt(n - skip);
        case WEIGHTED_MEAN:
            return weighted / weights;
        default:
            return values[n - 1];
    }
}

struct Norm {
    int kind;
    bool affine;
};

// Sequences of the given lengths that begin with the same `shared` rows, or fewer if a sequence is shorter.
void pool(Type type, const std::vector<int>& lengths, const std::vector<int>& skip, int columns, Norm norm,
          const std::vector<int>& modes, int slice, int shared = 0, int pad = 0, double mean = 0) {
    static Random random(30);
    const int sequences = static_cast<int>(lengths.size());
    std::vector<double> starts = {0};
    std::vector<double> rows;
    int longest = 0;
    int tokens = shared;
    for (int length : lengths) {
        starts.push_back(starts.back() + length);
        longest = std::max(longest, length);
        for (int t = 0; t < length; t++) {
            rows.push_back(t < shared ? t : tokens++);
        }
    }
    const int stride = columns + pad;
    const int mode_count = static_cast<int>(modes.size());
    std::vector<double> x = random.normal(static_cast<std::size_t>(tokens) * stride, mean);
    for (double& value : x) {
        value = rounded(type, value);
    }
    std::vector<double> gain = random.normal(columns, 1, 0.3);
    std::vector<double> bias = random.normal(columns, 0, 0.3);
    for (int c = 0; c < columns; c++) {
        gain[c] = norm.affine ? rounded(Type::f32, gain[c]) : 1;
        bias[c] = norm.affine ? rounded(Type::f32, bias[c]) : 0;
    }
    std::vector<double> expected;
    for (int s = 0; s < sequences; s++) {
        std::vector<std::vector<double>> values(columns);
        for (int t = 0; t < lengths[s]; t++) {
            const std::size_t token = static_cast<std::size_t>(starts[s]) + t;
            const double* row = x.data() + static_cast<std::ptrdiff_t>(rows[token]) * stride;
            double average = 0;
            double squares = 0;
            for (int c = 0; c < columns; c++) {
                average += norm.kind == 0 ? row[c] / columns : 0;
            }
            for (int c = 0; c < columns; c++) {
                squares += (row[c] - average) * (row[c] - average) / columns;
            }
            for (int c = 0; c < columns; c++) {
                values[c].push_back(
                    norm.kind == 2 ? row[c] : (row[c] - average) / std::sqrt(squares + 1e-5f) * gain[c] + bias[c]);
            }
        }
        for (int mode : modes) {
            for (int c = 0; c < columns; c++) {
                expected.push_back(pooled(values[c], skip[s], mode));
            }
        }
    }
    long long packed = 0;
    for (int m = 0; m < mode_count; m++) {
        packed |= static_cast<long long>(modes[m]) << 4 * m;
    }
    const Buffer device_x(type, x);
    const Buffer device_rows(Type::i32, rows);
    const Buffer device_starts(Type::i32, starts);
    const Buffer device_skip(Type::i32, std::vector<double>(skip.begin(), skip.end()));
    const Buffer device_gain(Type::f32, gain);
    const Buffer device_bias(Type::f32, bias);
    const Buffer out(Type::f32, std::vector<double>(static_cast<std::size_t>(sequences) * mode_count * columns, NAN));
    const int slices = static_cast<int>(ceil_div(longest, slice));
    const Buffer partial(Type::f32, (rows.size() / slice + sequences) * mode_count * columns);
    const Address scratch = slices > 1 ? partial.address() : 0;
    const int out_stride = mode_count * columns;
    const std::string kernel = format("sgpt_pool_%s", name(type));
    Device::current().launch(kernel, {static_cast<unsigned>(sequences), static_cast<unsigned>(slices)}, {256, 1},
                             static_cast<unsigned>(slice) * 8, device_x.address(), device_rows.address(),
                             device_starts.address(), device_skip.address(),
                             norm.affine ? device_gain.address() : Address{0},
                             norm.affine ? device_bias.address() : Address{0}, scratch, out.address(), sequences,
                             columns, stride, out_stride, norm.kind, 1e-5f, slice, packed, mode_count);
    if (slices > 1) {
        Device::current().launch("sgpt_pool_finish",
                                 {static_cast<unsigned>(sequences), static_cast<unsigned>(ceil_div(columns, 128))},
                                 {128, 1}, 0, scratch, device_starts.address(), device_skip.address(), out.address(),
                                 sequences, columns, out_stride, slice, packed, mode_count);
    }
    const double size = std::max(1.0, std::sqrt(longest)) * std::max(1.0, std::fabs(mean));
    expect_close(format("%s %d sequences, longest %d, %d shared, %d columns, kind %d, %d modes, slice %d", kernel.c_str(),
                        sequences, longest, shared, columns, norm.kind, mode_count, slice),
                 expected, out.values(), {1e-5 * size, 1e-5});
}

const std::vector<int> ALL = {FIRST, MAX, MEAN, MEAN_SQRT_LENGTH, WEIGHTED_MEAN, LAST};

}  // namespace

SGPT_TEST(pool_of_every_width_and_type) {
    for (Type type : {Type::f32, Type::f16, Type::bf16}) {
        for (int columns : {1, 3, 4, 5, 16, 33, 127, 128, 130, 384, 769, 1024, 1030}) {
            pool(type, {1, 5, 2, 33}, {0, 0, 0, 0}, columns, {0, true}, ALL, 64);
            pool(type, {1, 5, 2, 33}, {0, 2, 1, 30}, columns, {1, true}, ALL, 8, 0, 1);
        }
    }
}

SGPT_TEST(pool_of_every_length_and_slice) {
    for (int length : {1, 2, 7, 8, 31, 32, 33, 64, 65, 100, 257, 1000}) {
        for (int slice : {4, 64, 1024}) {
            pool(Type::f32, {length}, {0}, 19, {0, true}, ALL, slice);
        }
    }
}

SGPT_TEST(pool_skips_tokens_and_shares_rows) {
    for (int slice : {3, 16, 64}) {
        pool(Type::f32, {7, 7, 7, 7, 1, 40}, {0, 1, 6, 3, 0, 17}, 33, {0, false}, ALL, slice, 9);
        pool(Type::f32, {7, 4, 1, 2, 9}, {7, 100, 1, 0, 2147483647}, 33, {0, true}, ALL, slice);
    }
}

SGPT_TEST(pool_in_every_mode_and_kind) {
    for (int first : ALL) {
        for (int second : ALL) {
            pool(Type::f32, {3, 1, 20}, {0, 0, 2}, 36, {first % 3, false}, {first, second}, 8);
        }
        pool(Type::f32, {3, 1, 20}, {0, 0, 0}, 33, {(first + 1) % 3, first % 3 != 1}, {first}, 64);
    }
    pool(Type::f32, {5, 1, 16}, {0, 0, 3}, 17, {2, false}, ALL, 4, 0, 0, -50);
}

SGPT_TEST(pool_of_many_sequences) {
    std::vector<int> lengths(100);
    std::vector<int> skip(100);
    for (int s = 0; s < 100; s++) {
        lengths[s] = 1 + s * 7 % 13;
        skip[s] = s % 3;
    }
    pool(Type::bf16, lengths, skip, 65, {1, true}, {WEIGHTED_MEAN}, 4);
    pool(Type::f32, lengths, skip, 65, {0, true}, {MAX, LAST}, 64);
}

SGPT_TEST(logprob_over_blocks) {
    Random random(31);
    for (int vocabulary : {1, 2, 5, 100, 257, 1003, 5000}) {
        for (int rows : {1, 3, 130}) {
            if (rows * vocabulary > 200000) {
                continue;
            }
            for (int block : {vocabulary, 97, 512}) {
                const int splits = 1 + random.below(4);
                const bool biased = random.flip();
                const double size = random.flip() ? 3 : 30;
                const double softcap = random.flip() ? 0 : 10;
                std::vector<double> logits = random.normal(static_cast<std::size_t>(rows) * vocabulary, 0, size);
                std::vector<double> bias = random.normal(vocabulary);
                std::vector<double> targets(rows);
                std::vector<double> expected(rows);
                for (double& value : logits) {
                    value = rounded(Type::f32, value);
                }
                for (double& value : bias) {
                    value = rounded(Type::f32, value);
                }
                for (int r = 0; r < rows; r++) {
                    targets[r] = random.below(vocabulary);
                    double most = -INFINITY;
                    double sum = 0;
                    const auto logit = [&](int c) {
                        const double plain =
                            logits[static_cast<std::size_t>(r) * vocabulary + c] + (biased ? bias[c] : 0);
                        return softcap > 0 ? softcap * std::tanh(plain / softcap) : plain;
                    };
                    for (int c = 0; c < vocabulary; c++) {
                        most = std::max(most, logit(c));
                    }
                    for (int c = 0; c < vocabulary; c++) {
                        sum += std::exp(logit(c) - most);
                    }
                    expected[r] = logit(static_cast<int>(targets[r])) - most - std::log(sum);
                }
                const Buffer device_targets(Type::i32, targets);
                const Buffer maxima(Type::f32, static_cast<std::size_t>(rows) * splits);
                const Buffer sums(Type::f32, static_cast<std::size_t>(rows) * splits);
                const Buffer picked(Type::f32, static_cast<std::size_t>(rows));
                const Buffer out(Type::f32, static_cast<std::size_t>(rows));
                for (int from = 0; from < vocabulary; from += block) {
                    const int columns = std::min(block, vocabulary - from);
                    const int stride = columns + random.below(5);
                    std::vector<double> part(static_cast<std::size_t>(rows) * stride, NAN);
                    for (int r = 0; r < rows; r++) {
                        for (int c = 0; c < columns; c++) {
                            part[static_cast<std::size_t>(r) * stride + c] =
                                logits[static_cast<std::size_t>(r) * vocabulary + from + c];
                        }
                    }
                    const Buffer device_part(Type::f32, part);
                    const Buffer device_bias(Type::f32,
                                             std::vector<double>(bias.begin() + from, bias.begin() + from + columns));
                    Device::current().launch("sgpt_logprob_update",
                                             {static_cast<unsigned>(rows), static_cast<unsigned>(splits)}, {256, 1}, 64,
                                             device_part.address(), biased ? device_bias.address() : Address{0},
                                             device_targets.address(), maxima.address(), sums.address(),
                                             picked.address(), rows, columns, stride, from, splits, from == 0 ? 1 : 0,
                                             static_cast<float>(softcap));
                }
                Device::current().launch("sgpt_logprob_finish", {static_cast<unsigned>(ceil_div(rows, 128)), 1},
                                         {128, 1}, 0, maxima.address(), sums.address(), picked.address(), out.address(),
                                         rows, splits);
                expect_close(format("logprob of %d rows, vocabulary %d in blocks of %d, %d splits, bound %g", rows,
                                    vocabulary, block, splits, softcap),
                             expected, out.values(), {1e-5, 1e-5});
            }
        }
    }
}
