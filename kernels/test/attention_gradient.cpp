// The gradient of packed attention, compared with one that stores all scores.
#include <cmath>

#include "batch.h"
#include "rows.h"

using namespace test;

namespace {

struct Gradient {
    std::vector<double> out;
    std::vector<double> dQkv;
};

// Both without strides: qkv [tokens, (heads + 2 · kvHeads) · dim], dOut [tokens, heads · dim].
Gradient reference(const std::vector<int>& lengths, const Heads& p, double scale, const std::vector<double>& slopes,
                   const std::vector<double>& qkv, const std::vector<double>& dOut) {
    const int columns = (p.heads + 2 * p.kv_heads) * p.dim;
    const int out_columns = p.heads * p.dim;
    Gradient result{std::vector<double>(dOut.size()), std::vector<double>(qkv.size())};
    int start = 0;
    for (int length : lengths) {
        for (int h = 0; h < p.heads; h++) {
            const int key_column = (p.heads + h / (p.heads / p.kv_heads)) * p.dim;
            const int value_column = key_column + p.kv_heads * p.dim;
            for (int i = 0; i < length; i++) {
                const std::size_t query = static_cast<std::size_t>(start + i) * columns + h * p.dim;
                const std::size_t at = static_cast<std::size_t>(start + i) * out_columns + h * p.dim;
                const int first = p.window > 0 ? std::max(0, i - p.window + 1) : 0;
                std::vector<double> weights;
                double most = -INFINITY;
                for (int j = first; j <= i; j++) {
                    double dot = 0;
                    for (int c = 0; c < p.dim; c++) {
                        dot += qkv[query + c] * qkv[static_cast<std::size_t>(start + j) * columns + key_column + c];
                    }
                    weights.push_back(scale * dot + (p.slopes ? slopes[h] * (j - i) : 0));
                    most = std::max(most, weights.back());
                }
                double sum = 0;
                for (double& weight : weights) {
                    weight = std::exp(weight - most);
                    sum += weight;
                }
                double product = 0;
                std::vector<double> gradients;
                for (int j = first; j <= i; j++) {
                    const std::size_t value = static_cast<std::size_t>(start + j) * columns + value_column;
                    double& weight = weights[j - first];
                    weight /= sum;
                    double gradient = 0;
                    for (int c = 0; c < p.dim; c++) {
                        result.out[at + c] += weight * qkv[value + c];
                        gradient += dOut[at + c] * qkv[value + c];
                        result.dQkv[value + c] += weight * dOut[at + c];
                    }
                    gradients.push_back(gradient);
                    product += weight * gradient;
                }
                for (int j = first; j <= i; j++) {
                    const std::size_t key = static_cast<std::size_t>(start + j) * columns + key_column;
                    const double d = scale * weights[j - first] * (gradients[j - first] - product);
                    for (int c = 0; c < p.dim; c++) {
                        result.dQkv[query + c] += d * qkv[key + c];
                        result.dQkv[key + c] += d * qkv[query + c];
                    }
                }
            }
        }
        start += length;
    }
    return result;
}

void derive(Type type, const std::vector<int>& lengths, const Heads& p, double size = 1, int pad = 0, int offset = 0) {
    static Random random(40);
    const Batch batch = roots(lengths);
    const int tokens = batch.tokens();
    const int columns = (p.heads + 2 * p.kv_heads) * p.dim;
    const int out_columns = p.heads * p.dim;
    const Rows rows{tokens, columns, columns + pad};
    const Rows out_rows{tokens, out_columns, out_columns + pad};
    std::vector<double> qkv = round_all(type, random.normal(static_cast<std::size_t>(tokens) * columns, 0, size));
    const std::vector<double> dOut = round_all(type, random.normal(static_cast<std::size_t>(tokens) * out_columns));
    const double scale = rounded(Type::f32, p.scale == 0 ? 1 / std::sqrt(p.dim) : p.scale);
    std::vector<double> slopes(p.heads);
    for (int h = 0; h < p.heads; h++) {
        slopes[h] = rounded(Type::f32, std::pow(2, -8.0 * (h + 1) / p.heads));
    }
    const Gradient expected = reference(lengths, p, scale, slopes, qkv, dOut);
    const Index index = index_of(batch);
    const Buffer device_qkv(type, rows.spread(qkv), offset);
    const Buffer device_out(type, out_rows.spread(round_all(type, expected.out)), offset);
    const Buffer device_dOut(type, out_rows.spread(dOut), offset);
    const Buffer starts(Type::i32, index.starts);
    const Buffer tiles(Type::i32, index.tiles);
    const Buffer device_slopes(Type::f32, slopes);
    const Buffer statistics(Type::f32, static_cast<std::size_t>(p.heads) * tokens * 3);
    const Buffer dQkv(type, rows.spread(std::vector<double>(qkv.size(), NAN)), offset);
    const unsigned parts = static_cast<unsigned>(ceil_div(p.dim, 64));
    const auto launch = [&](const char* part, int heads, unsigned y) {
        Device::current().launch(format("sgpt_attention_gradient_%s_%s", part, name(type)),
                                 {static_cast<unsigned>(index.tile_count * heads), y}, {256, 1}, 34816,
                                 device_qkv.address(), device_out.address(), device_dOut.address(), starts.address(),
                                 tiles.address(), p.slopes ? device_slopes.address() : Address{0}, statistics.address(),
                                 dQkv.address(), tokens, p.heads, p.kv_heads, p.dim, rows.stride,
                                 out_rows.stride, p.window, static_cast<float>(scale));
    };
    launch("statistics", p.heads, 1);
    launch("queries", p.heads, parts);
    launch("keys", p.kv_heads, parts);
    const std::string what =
        format("gradient of attention %s, %d/%d heads of %d, window %d, slopes %d, %zu sequences, %d tokens, pad %d",
               name(type), p.heads, p.kv_heads, p.dim, p.window, p.slopes, lengths.size(), tokens, pad);
    // Gradients of keys and values are sums over queries and heads of numbers around 1; D is a sum over a head's
    // dimensions of products with the rounded result.
    const double factor = size * std::sqrt(p.dim) * std::sqrt(p.heads / p.kv_heads) * std::max(1.0, std::fabs(scale) * 4) *
                          std::max(1.0, size * size * std::sqrt(p.dim) * std::fabs(scale) / 4);
    const Tolerance tolerance = type == Type::f32 ? Tolerance{1e-5 * factor, 1e-5}
                                                  : Tolerance{2 * unit(type) * factor, 1.02 * unit(type)};
    expect_close(what, expected.dQkv, rows.dense(dQkv.values(), what), tolerance);
}

const std::vector<Type> TRAINED = {Type::f32, Type::bf16};

}  // namespace

SGPT_TEST(attention_gradient_with_every_head_size) {
    for (Type type : TRAINED) {
        for (int dim : {1, 3, 8, 16, 31, 32, 33, 64, 65, 80, 96, 128, 136, 256, 260}) {
            derive(type, {1, 2, 33, 5, 40}, {2, 2, dim});
        }
    }
}

SGPT_TEST(attention_gradient_over_every_length) {
    for (Type type : TRAINED) {
        for (int length : {1, 2, 7, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200}) {
            derive(type, {length}, {1, 1, 16});
        }
        derive(type, {1, 100, 63, 2, 64, 65, 1}, {2, 1, 24});
        derive(type, {300, 150}, {1, 1, 72});
    }
}

SGPT_TEST(attention_gradient_within_a_window) {
    for (Type type : TRAINED) {
        for (int window : {1, 2, 8, 31, 63, 64, 65, 66, 5000, 2147483647}) {
            derive(type, {1, 7, 33, 100, 8, 150}, {2, 2, 8, window});
        }
        derive(type, {260, 257}, {2, 1, 8, 128, true});
    }
}

SGPT_TEST(attention_gradient_with_grouped_heads_and_slopes) {
    for (Type type : TRAINED) {
        for (int kv_heads : {1, 2, 4, 8}) {
            derive(type, {3, 40, 30}, {8, kv_heads, 24});
        }
        derive(type, {1, 2, 33, 100}, {4, 4, 16, 0, true});
        derive(type, {100, 12}, {6, 3, 80, 20, true});
    }
}

SGPT_TEST(attention_gradient_with_odd_strides_and_addresses) {
    for (Type type : TRAINED) {
        derive(type, {70, 3}, {2, 1, 64}, 1, 8);
        derive(type, {70, 3}, {2, 1, 64}, 1, 3);
        derive(type, {70, 3}, {2, 1, 40}, 1, 0, 1);
    }
}

SGPT_TEST(attention_gradient_with_large_scores) {
    for (double size : {4.0, 12.0}) {
        derive(Type::f32, {1, 2, 40, 100}, {2, 2, 64, 0, false, 1}, size);
        derive(Type::bf16, {1, 2, 40, 100}, {2, 2, 64, 0, false, -1}, size);
    }
}

SGPT_TEST(attention_gradient_in_many_small_sequences) {
    std::vector<int> lengths(90);
    for (int s = 0; s < 90; s++) {
        lengths[s] = 1 + s % 7;
    }
    for (Type type : TRAINED) {
        derive(type, lengths, {2, 1, 16});
        derive(type, lengths, {2, 2, 16, 3, true});
    }
}
