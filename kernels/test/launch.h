// The launch rules of README.
#pragma once

#include <algorithm>

#include "check.h"
#include "device.h"

namespace test {

struct Launch {
    Dim grid;
    Dim block;
    unsigned shared;
};

inline int vector_width(Type a, Type b) {
    return size_of(a) == 2 && size_of(b) == 2 ? 8 : 4;
}

inline Launch row_grid(int rows, int columns, int width) {
    const unsigned block = std::min(128u, 32 * static_cast<unsigned>(ceil_div(ceil_div(columns, width), 32)));
    return {{static_cast<unsigned>(ceil_div(columns, width * static_cast<long long>(block))),
             static_cast<unsigned>(std::min(rows, 65535))},
            {block, 1},
            0};
}

inline Launch norm_launch(int count, int heads, int columns) {
    unsigned threads = 32;
    while (threads < 1024 && 16 * static_cast<long long>(threads) < columns) {
        threads *= 2;
    }
    const unsigned rows = std::max(1u, 128 / threads);
    return {{static_cast<unsigned>(ceil_div(static_cast<long long>(count) * heads, rows)), 1},
            {threads, rows},
            threads > 32 ? rows * (threads / 32) * 4 : 0};
}

}  // namespace test
