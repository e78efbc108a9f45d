// Shared by both attention kernels: which keys a tile of queries processes, in which order, and which of them each
// query sees.
//
// A tile's keys come in runs of consecutive rows of qkv. The first run is the tile's own: from the start of its first
// query's segment to its last query, or in both directions to the end of its last query's segment. It may span several
// segments, and each query sees only its own; keys are numbered by their row in qkv. Then come the runs of ancestors
// (README, `runs`): keys are numbered from the run's start, and a query sees a run if its bit is set. Either way, the
// keys of a run that a query sees form one interval.
#pragma once

#include "common/types.cuh"

namespace sgpt {

constexpr int TILE = 64;          // queries
constexpr int INDEX_ENTRIES = 8;  // per tile or run in its index array
constexpr int OWN = -1;           // the first run

// The arguments shared by all attention kernels, described in README.
template <class T>
struct AttentionArguments {
    const T* qkv;
    const int* positions;
    const int* starts;
    const int* ends;
    const int* tiles;
    const int* runs;
    const float* slopes;
    T* out;
    int heads;
    int kvHeads;
    int headDim;
    int qkvStride;
    int outStride;
    int cached;
    int window;
    float scale;
    float softcap;
};

// The work of one block.
struct Tile {
    int head;
    int kvHead;
    int firstToken;
    int tokens;
    int firstKey;
    int firstRun;
    int runs;
};

template <class T>
SGPT_DEVICE Tile this_tile(const AttentionArguments<T>& arguments) {
    Tile tile;
    tile.head = static_cast<int>(blockIdx.x % static_cast<unsigned>(arguments.heads));
    tile.kvHead = tile.head / (arguments.heads / arguments.kvHeads);
    const int* entry =
        arguments.tiles + static_cast<long long>(blockIdx.x / static_cast<unsigned>(arguments.heads)) * INDEX_ENTRIES;
    tile.firstToken = entry[0];
    tile.tokens = entry[1];
    tile.firstKey = entry[2];
    tile.firstRun = entry[3];
    tile.runs = entry[4];
    return tile;
}

// A block of consecutive keys: [at, at + size) of a run, up to the run's `end`; key k is in row `base + k` of qkv.
struct Keys {
    int run;
    int at;
    int end;
    int base;
};

// The last key that a query sees in both directions, given the last one of its segment.
template <class T>
SGPT_DEVICE int last_seen(const AttentionArguments<T>& arguments, int query, int last) {
    return arguments.window > 0 && last - query >= arguments.window ? query + arguments.window - 1 : last;
}

// The first block of keys that any query sees. There is always one, since a query sees itself.
template <class T>
SGPT_DEVICE Keys first_keys(const AttentionArguments<T>& arguments, const Tile& tile) {
    const int firstQuery = arguments.cached + tile.firstToken;
    const int lowest = arguments.window > 0 ? firstQuery - arguments.window + 1 : 0;
    const int lastQuery = firstQuery + tile.tokens - 1;
    int end = lastQuery + 1;
    if (arguments.ends != nullptr) {
        end = last_seen(arguments, lastQuery, arguments.ends[tile.firstToken + tile.tokens - 1] - 1) + 1;
    }
    return Keys{OWN, lowest > tile.firstKey ? lowest : tile.firstKey, end, 0};
}

// Advances to the next block of `size` keys; false if there are no more keys.
template <class T>
SGPT_DEVICE bool next_keys(const AttentionArguments<T>& arguments, const Tile& tile, int size, Keys& keys) {
    keys.at += size;
    while (keys.at >= keys.end) {
        if (++keys.run >= tile.runs) {
            return false;
        }
        const int* entry = arguments.runs + (static_cast<long long>(tile.firstRun) + keys.run) * INDEX_ENTRIES;
        keys.base = entry[0];
        keys.end = entry[1];
        const int lowest = arguments.window > 0 ? entry[3] - arguments.window + 1 - entry[2] : 0;
        keys.at = lowest > 0 ? lowest : 0;
    }
    return true;
}

// A query sees keys low … high of a run. `origin` is the key index of the query's own position, which may be past the
// run's end; the distance of key k is origin − k.
struct Visible {
    int low;
    int high;
    int origin;
};

// `index` is the query's index in the tile; indices past the last query see nothing.
template <class T>
SGPT_DEVICE Visible visible_keys(const AttentionArguments<T>& arguments, const Tile& tile, int run, int index) {
    Visible visible{0, -1, 0};
    if (index >= tile.tokens) {
        return visible;
    }
    const int token = tile.firstToken + index;
    if (run == OWN) {
        visible.origin = arguments.cached + token;
        visible.low = arguments.starts[token];
        visible.high = visible.origin;
        if (arguments.ends != nullptr) {
            visible.high = last_seen(arguments, visible.origin, arguments.ends[token] - 1);
        }
    } else {
        const int* entry = arguments.runs + (static_cast<long long>(tile.firstRun) + run) * INDEX_ENTRIES;
        const unsigned mask = static_cast<unsigned>(entry[4 + index / 32]);
        visible.origin = arguments.positions[token] - entry[2];
        visible.high = (mask >> (index % 32) & 1u) != 0 ? entry[1] - 1 : -1;
    }
    if (arguments.window > 0) {
        const int lowest = visible.origin - arguments.window + 1;
        visible.low = lowest > visible.low ? lowest : visible.low;
    }
    return visible;
}

}  // namespace sgpt
