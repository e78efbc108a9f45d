// Handles, descriptions, layouts, preferences.
#pragma once

#include <cstdint>
#include <string>

#include "../driver/services.h"

namespace standin {

enum Status {
    status_success = 0,
    status_not_initialized = 1,
    status_invalid_value = 7,
    status_execution_failed = 13,
    status_not_supported = 15,
};

enum Reduction { reduction_in_place = 1, reduction_compute_type = 2, reduction_output_type = 4, reduction_mask = 7 };

struct Handle {
    int device;
};

struct Description {
    int compute;
    bool transpose_a = false;
    bool transpose_b = false;
    unsigned epilogue = 1;
    uint64_t bias = 0;
    int bias_type = -1;
};

struct Layout {
    int type;
    uint64_t rows;
    uint64_t columns;
    int64_t ld;
    int32_t batches = 1;
    int64_t batch_stride = 0;
};

struct Preference {
    uint64_t workspace = 0;
    uint32_t alignment[4] = {256, 256, 256, 256};  // a, b, c, d
    uint32_t reductions = reduction_mask;          // bits of Reduction
};

const Services& services();
/// Reports what is wrong with a call; returns the status.
int refuse(const char* function, int status, const std::string& what);

/// The live object of this kind behind a handle, or null.
template <class T>
T* live(void* handle);

}  // namespace standin
