// Packed batches and the index arrays that attention takes.
#pragma once

#include "launch.h"

namespace test {

inline constexpr int TILE = 64;
inline constexpr int NO_PARENT = -1;

// A batch in the form of PackedBatch.
struct Batch {
    int cached = 0;
    std::vector<int> lengths;  // including the cached segment's
    std::vector<int> parents;

    int segments() const { return static_cast<int>(lengths.size()); }
    int first_segment() const { return cached > 0 ? 1 : 0; }
    int start(int segment) const {
        int row = 0;
        for (int s = 0; s < segment; s++) {
            row += lengths[s];
        }
        return row;
    }
    int rows() const { return start(segments()); }
    int tokens() const { return rows() - cached; }
    int depth(int segment) const {
        int depth = 0;
        for (int s = parents[segment]; s != NO_PARENT; s = parents[s]) {
            depth += lengths[s];
        }
        return depth;
    }
};

inline Batch roots(const std::vector<int>& lengths) {
    return {0, lengths, std::vector<int>(lengths.size(), NO_PARENT)};
}

inline Batch tree(int cached, std::vector<int> lengths, std::vector<int> parents) {
    if (cached > 0) {
        lengths.insert(lengths.begin(), cached);
        parents.insert(parents.begin(), NO_PARENT);
    }
    return {cached, lengths, parents};
}

// The index arrays of README.
struct Index {
    std::vector<double> positions;
    std::vector<double> starts;
    std::vector<double> ends;
    std::vector<double> tiles;
    std::vector<double> runs;
    int tile_count = 0;
};

inline void add_tile(const Batch& batch, const std::vector<int>& segment_of, int first, int tokens, Index& index) {
    // Ancestors in the order in which they are first found.
    std::vector<int> ancestors;
    for (int i = 0; i < tokens; i++) {
        for (int s = batch.parents[segment_of[first + i]]; s != NO_PARENT; s = batch.parents[s]) {
            if (std::find(ancestors.begin(), ancestors.end(), s) == ancestors.end()) {
                ancestors.push_back(s);
            }
        }
    }
    const double first_run = static_cast<double>(index.runs.size() / 8);
    for (int ancestor : ancestors) {
        std::uint64_t mask = 0;
        double lowest = 1e9;
        for (int i = 0; i < tokens; i++) {
            for (int s = batch.parents[segment_of[first + i]]; s != NO_PARENT; s = batch.parents[s]) {
                if (s == ancestor) {
                    mask |= std::uint64_t{1} << i;
                    lowest = std::min(lowest, index.positions[first + i]);
                }
            }
        }
        const double low = static_cast<std::int32_t>(mask & 0xffffffff);
        const double high = static_cast<std::int32_t>(mask >> 32);
        for (double value : {static_cast<double>(batch.start(ancestor)), static_cast<double>(batch.lengths[ancestor]),
                             static_cast<double>(batch.depth(ancestor)), lowest, low, high, 0.0, 0.0}) {
            index.runs.push_back(value);
        }
    }
    for (double value : {static_cast<double>(first), static_cast<double>(tokens), index.starts[first], first_run,
                         static_cast<double>(ancestors.size()), 0.0, 0.0, 0.0}) {
        index.tiles.push_back(value);
    }
    index.tile_count++;
}

inline Index index_of(const Batch& batch) {
    Index index;
    std::vector<int> segment_of;
    for (int s = batch.first_segment(); s < batch.segments(); s++) {
        for (int i = 0; i < batch.lengths[s]; i++) {
            index.positions.push_back(batch.depth(s) + i);
            index.starts.push_back(batch.start(s));
            index.ends.push_back(batch.start(s) + batch.lengths[s]);
            segment_of.push_back(s);
        }
    }
    int first = 0;  // of the tile that is open
    int end = 0;
    for (int s = batch.first_segment(); s < batch.segments(); s++) {
        const int length = batch.lengths[s];
        if (end > first && end - first + length > TILE) {
            add_tile(batch, segment_of, first, end - first, index);
            first = end;
        }
        end += length;
        while (end - first >= TILE) {
            add_tile(batch, segment_of, first, TILE, index);
            first += TILE;
        }
    }
    if (end > first) {
        add_tile(batch, segment_of, first, end - first, index);
    }
    if (index.runs.empty()) {
        index.runs.assign(8, 0);
    }
    return index;
}

struct Heads {
    int heads;
    int kv_heads;
    int dim;
    int window = 0;
    bool slopes = false;
    double scale = 0;  // 0: 1 / sqrt(dim)
    bool both = false;  // directions
    double softcap = 0;
};

}  // namespace test
