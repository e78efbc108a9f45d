// Packed attention with both kernels, compared with attention that stores all its scores.
#include <cmath>
#include <memory>

#include "batch.h"

using namespace test;

namespace {

std::vector<double> reference(const Batch& batch, const Heads& p, double scale, const std::vector<double>& slopes,
                              const std::vector<double>& qkv, int stride) {
    const int columns = p.heads * p.dim;
    std::vector<double> out(static_cast<std::size_t>(batch.tokens()) * columns);
    for (int s = batch.first_segment(); s < batch.segments(); s++) {
        std::vector<int> rows;
        for (int a = s; a != NO_PARENT; a = batch.parents[a]) {
            std::vector<int> own(batch.lengths[a]);
            for (int i = 0; i < batch.lengths[a]; i++) {
                own[i] = batch.start(a) + i;
            }
            rows.insert(rows.begin(), own.begin(), own.end());
        }
        const int depth = batch.depth(s);
        for (int i = depth; i < static_cast<int>(rows.size()); i++) {
            const int seen = p.both ? static_cast<int>(rows.size()) : i + 1;
            for (int h = 0; h < p.heads; h++) {
                const double* q = qkv.data() + static_cast<std::ptrdiff_t>(rows[i]) * stride + h * p.dim;
                const int key_column = (p.heads + h / (p.heads / p.kv_heads)) * p.dim;
                std::vector<double> scores(seen, -INFINITY);
                double most = -INFINITY;
                for (int j = 0; j < seen; j++) {
                    if (p.window > 0 && std::abs(i - j) >= p.window) {
                        continue;
                    }
                    const double* k = qkv.data() + static_cast<std::ptrdiff_t>(rows[j]) * stride + key_column;
                    double dot = 0;
                    for (int c = 0; c < p.dim; c++) {
                        dot += q[c] * k[c];
                    }
                    const double score =
                        p.softcap > 0 ? p.softcap * std::tanh(scale * dot / p.softcap) : scale * dot;
                    scores[j] = score + (p.slopes ? slopes[h] * (j - i) : 0);
                    most = std::max(most, scores[j]);
                }
                double sum = 0;
                for (double& score : scores) {
                    score = std::exp(score - most);
                    sum += score;
                }
                double* row = out.data() + static_cast<std::ptrdiff_t>(rows[i] - batch.cached) * columns + h * p.dim;
                for (int j = 0; j < seen; j++) {
                    const double* v =
                        qkv.data() + static_cast<std::ptrdiff_t>(rows[j]) * stride + key_column + p.kv_heads * p.dim;
                    for (int c = 0; c < p.dim && scores[j] > 0; c++) {
                        row[c] += scores[j] / sum * v[c];
                    }
                }
            }
        }
    }
    return out;
}

// The table of README.
std::string kernel_of(Type type, int dim, bool bounded, Launch& launch, int blocks) {
    const bool tensor =
        (type == Type::f16 || (type == Type::bf16 && Device::current().capability() >= 80)) && dim <= 256;
    launch.grid = {static_cast<unsigned>(blocks), 1};
    if (tensor) {
        launch.block = {128, 1};
        const int width = bounded || dim > 128 ? 256 : dim > 64 ? 128 : 64;
        launch.shared = width == 64 ? 24576 : width == 128 ? 49152 : 65536;
        return bounded ? format("sgpt_attention_mma_bounded_%s", name(type))
                       : format("sgpt_attention_mma%d_%s", width, name(type));
    }
    launch.block = {256, 1};
    launch.shared = 34816;
    if (type == Type::f32 && dim <= 64) {
        return "sgpt_attention_general64_f32";
    }
    launch.grid.y = static_cast<unsigned>(ceil_div(dim, 128));
    return format("sgpt_attention_general128_%s", name(type));
}

void attend(Type type, const Batch& batch, const Heads& p, double size = 1.5, int pad = 0, int offset = 0) {
    static Random random(20);
    const int columns = (p.heads + 2 * p.kv_heads) * p.dim;
    const int stride = columns + pad;
    const int out_columns = p.heads * p.dim;
    const int out_stride = out_columns + pad;
    std::vector<double> qkv = random.normal(static_cast<std::size_t>(batch.rows()) * stride);
    for (int r = 0; r < batch.rows(); r++) {
        for (int c = 0; c < stride; c++) {
            double& value = qkv[static_cast<std::size_t>(r) * stride + c];
            value = rounded(type, c < (p.heads + p.kv_heads) * p.dim ? size * value : value);
            if (c >= columns || (r < batch.cached && c < out_columns)) {
                value = NAN;
            }
        }
    }
    const double scale = rounded(Type::f32, p.scale == 0 ? 1 / std::sqrt(p.dim) : p.scale);
    std::vector<double> slopes(p.heads);
    for (int h = 0; h < p.heads; h++) {
        slopes[h] = rounded(Type::f32, std::pow(2, -8.0 * (h + 1) / p.heads));
    }
    const Index index = index_of(batch);
    const Buffer device_qkv(type, qkv, offset);
    const Buffer positions(Type::i32, index.positions);
    const Buffer starts(Type::i32, index.starts);
    const Buffer ends(Type::i32, index.ends);
    const Buffer tiles(Type::i32, index.tiles);
    const Buffer runs(Type::i32, index.runs);
    const Buffer device_slopes(Type::f32, slopes);
    const Buffer out(type, std::vector<double>(static_cast<std::size_t>(batch.tokens()) * out_stride, NAN), offset);
    Launch launch;
    const std::string kernel = kernel_of(type, p.dim, p.softcap > 0, launch, index.tile_count * p.heads);
    Device::current().launch(kernel, launch.grid, launch.block, launch.shared, device_qkv.address(),
                             positions.address(), starts.address(), p.both ? ends.address() : Address{0},
                             tiles.address(), runs.address(), p.slopes ? device_slopes.address() : Address{0},
                             out.address(), p.heads, p.kv_heads, p.dim, stride, out_stride, batch.cached, p.window,
                             static_cast<float>(scale), static_cast<float>(p.softcap));
    const std::string what =
        format("%s %d/%d heads of %d, window %d, slopes %d, both ways %d, bound %g, %d segments, %d tokens, %d cached, "
               "pad %d",
               kernel.c_str(), p.heads, p.kv_heads, p.dim, p.window, p.slopes, p.both, p.softcap, batch.segments(),
               batch.tokens(), batch.cached, pad);
    const std::vector<double> got = out.values();
    std::vector<double> dense;
    for (int r = 0; r < batch.tokens(); r++) {
        for (int c = 0; c < out_stride; c++) {
            const double value = got[static_cast<std::size_t>(r) * out_stride + c];
            if (c < out_columns) {
                dense.push_back(value);
            } else if (!std::isnan(value)) {
                fail(what + ": written past a row's end");
                return;
            }
        }
    }
    // Probabilities are rounded to the type, which gives a weighted mean of values around 1 the same relative error;
    // the result is rounded too. Scores of magnitude size² · sqrt(dim) · scale come from sums of float products.
    const double factor = std::max(1.0, size * size * std::sqrt(p.dim) * std::fabs(scale));
    const Tolerance tolerance =
        type == Type::f32 ? Tolerance{1e-5 * factor, 1e-5} : Tolerance{3 * unit(type) + 1e-5 * factor, unit(type)};
    expect_close(what, reference(batch, p, scale, slopes, qkv, stride), dense, tolerance);
}

const std::vector<Type> TYPES = {Type::f32, Type::f16, Type::bf16};

}  // namespace

SGPT_TEST(attention_with_every_head_size) {
    const Batch batch = roots({1, 2, 33, 5, 31, 32, 1, 70});
    for (Type type : TYPES) {
        for (int dim : {1, 3, 8, 16, 24, 40, 64, 65, 80, 96, 128, 136, 256, 260}) {
            attend(type, batch, {2, 2, dim});
        }
    }
}

SGPT_TEST(attention_over_every_length) {
    for (Type type : TYPES) {
        for (int length : {1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 257}) {
            attend(type, roots({length}), {1, 1, 16});
        }
        attend(type, roots({300, 150}), {1, 1, 136});
        attend(type, roots({600, 401}), {2, 1, 24});
    }
    attend(Type::bf16, roots({2048}), {1, 1, 64});
    attend(Type::f32, roots({2048}), {1, 1, 16});
}

SGPT_TEST(attention_within_a_window) {
    for (Type type : TYPES) {
        for (int window : {1, 2, 3, 8, 31, 63, 64, 65, 5000}) {
            attend(type, roots({1, 7, 8, 9, 33, 100}), {2, 2, 16, window});
        }
        for (int window : {1, 200, 256, 257}) {
            attend(type, roots({256, 257, 520}), {1, 1, 8, window});
        }
    }
}

SGPT_TEST(attention_with_grouped_heads_and_slopes) {
    for (Type type : TYPES) {
        for (int kv_heads : {1, 2, 4, 8}) {
            attend(type, roots({3, 40, 17}), {8, kv_heads, 24});
        }
        attend(type, roots({1, 2, 33, 100}), {4, 4, 16, 0, true});
        attend(type, roots({700}), {2, 2, 8, 0, true});
        attend(type, roots({100, 12}), {6, 3, 80, 20, true});
        attend(type, roots({90, 12}), {3, 1, 5, 0, true});
    }
}

SGPT_TEST(attention_of_trees) {
    const std::vector<int> parents = {NO_PARENT, 0, 0, 1, 3, NO_PARENT, 5, 2};
    const std::vector<int> lengths = {9, 5, 17, 4, 1, 33, 40, 2};
    for (Type type : TYPES) {
        const Batch batch = tree(0, lengths, parents);
        attend(type, batch, {2, 2, 16});
        attend(type, batch, {4, 2, 24, 0, true});
        for (int window : {1, 2, 5, 8, 16, 100}) {
            attend(type, batch, {2, 1, 8, window});
        }
        attend(type, tree(0, {300, 70, 65, 1, 128}, {NO_PARENT, 0, 0, 1, 1}), {1, 1, 64});
        for (int cached : {1, 8, 33, 130}) {
            attend(type, tree(cached, {5, 1, 12, 3, 20}, {0, 0, 1, NO_PARENT, 3}), {2, 1, 24, 0, true});
            attend(type, tree(cached, {5, 1, 12, 3, 20}, {0, 0, 1, NO_PARENT, 3}), {2, 2, 8, 6});
        }
    }
}

SGPT_TEST(attention_of_random_trees) {
    Random random(21);
    for (int i = 0; i < 40; i++) {
        const int cached = random.below(3) == 0 ? 1 + random.below(200) : 0;
        std::vector<int> lengths(1 + random.below(8));
        std::vector<int> parents(lengths.size());
        for (std::size_t s = 0; s < lengths.size(); s++) {
            lengths[s] = 1 + random.below(random.flip() ? 8 : 160);
            parents[s] = random.below(static_cast<int>(s) + (cached > 0 ? 1 : 0) + 1) - 1;
        }
        const int kv_heads = 1 + random.below(2);
        const int window = random.flip() ? 0 : 1 + random.below(random.flip() ? 12 : 200);
        const Heads heads{kv_heads * (1 + random.below(2)), kv_heads, 1 + random.below(40), window, random.flip()};
        attend(TYPES[i % 3], tree(cached, lengths, parents), heads);
    }
}

SGPT_TEST(attention_with_odd_strides_and_addresses) {
    for (Type type : TYPES) {
        attend(type, roots({70, 3}), {2, 1, 64}, 1.5, 8);
        attend(type, roots({70, 3}), {2, 1, 64}, 1.5, 3);
        attend(type, roots({70, 3}), {2, 1, 40}, 1.5, 0, 1);
        attend(type, roots({70, 3}), {1, 1, 256}, 1.5, 1, 3);
    }
}

SGPT_TEST(attention_with_large_scores) {
    for (double size : {4.0, 12.0, 40.0}) {
        attend(Type::f32, roots({1, 2, 40, 100}), {2, 2, 64, 0, false, 1}, size);
        attend(Type::bf16, roots({1, 2, 40, 100}), {2, 2, 64, 0, false, 1}, size);
        attend(Type::f16, roots({1, 2, 40, 100}), {2, 2, 64, 0, false, -1}, size);
    }
}

SGPT_TEST(attention_in_many_small_segments) {
    std::vector<int> lengths(150);
    for (int s = 0; s < 150; s++) {
        lengths[s] = 1 + s % 7;
    }
    for (Type type : TYPES) {
        attend(type, roots(lengths), {2, 2, 16});
        attend(type, roots(lengths), {2, 1, 16, 3, true});
    }
}

namespace {

Heads both_ways(Heads heads, double softcap = 0) {
    heads.both = true;
    heads.softcap = softcap;
    return heads;
}

Heads bounded(Heads heads, double softcap) {
    heads.softcap = softcap;
    return heads;
}

}  // namespace

SGPT_TEST(attention_in_both_directions_with_every_head_size) {
    const Batch batch = roots({1, 2, 33, 5, 31, 32, 1, 70});
    for (Type type : TYPES) {
        for (int dim : {1, 3, 16, 64, 80, 128, 136, 256, 260}) {
            attend(type, batch, both_ways({2, 2, dim}));
        }
    }
}

SGPT_TEST(attention_in_both_directions_over_every_length) {
    for (Type type : TYPES) {
        for (int length : {1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 257}) {
            attend(type, roots({length}), both_ways({1, 1, 16}));
        }
        attend(type, roots({300, 150}), both_ways({1, 1, 136}));
        attend(type, roots({600, 401}), both_ways({2, 1, 24}));
    }
}

SGPT_TEST(attention_in_both_directions_within_a_window) {
    for (Type type : TYPES) {
        for (int window : {1, 2, 3, 8, 31, 63, 64, 65, 5000, 2147483647}) {
            attend(type, roots({1, 7, 8, 9, 33, 100}), both_ways({2, 2, 16, window}));
        }
        for (int window : {1, 200, 256, 257}) {
            attend(type, roots({256, 257, 520}), both_ways({1, 1, 8, window}));
        }
    }
}

SGPT_TEST(attention_in_both_directions_of_random_batches) {
    Random random(22);
    for (int i = 0; i < 40; i++) {
        std::vector<int> lengths(1 + random.below(8));
        for (int& length : lengths) {
            length = 1 + random.below(random.flip() ? 8 : 160);
        }
        const int kv_heads = 1 + random.below(2);
        const int window = random.flip() ? 0 : 1 + random.below(random.flip() ? 12 : 200);
        const Heads heads{kv_heads * (1 + random.below(2)), kv_heads, 1 + random.below(40), window, random.flip()};
        attend(TYPES[i % 3], roots(lengths), both_ways(heads, random.flip() ? 0 : 2));
    }
}

SGPT_TEST(attention_with_bounded_scores) {
    const Batch batch = roots({1, 2, 33, 70});
    for (Type type : TYPES) {
        for (int dim : {1, 16, 64, 80, 128, 256, 260}) {
            attend(type, batch, bounded({2, 1, dim}, 1.5));
        }
        for (double softcap : {0.01, 0.5, 5.0, 50.0, 1e6}) {
            attend(type, batch, bounded({4, 2, 24, 0, true}, softcap));
            attend(type, roots({100, 12}), bounded({2, 2, 24, 20, true}, softcap));
            attend(type, tree(33, {5, 1, 70, 3, 20}, {0, 0, 1, NO_PARENT, 3}), bounded({2, 2, 8, 6}, softcap));
        }
        attend(type, roots({1, 40, 100}), bounded({2, 2, 64, 0, false, 1}, 50), 4);
        attend(type, roots({1, 40, 100}), bounded({2, 2, 64, 0, false, -1}, 50), 4);
    }
}
