// Each broken kernel must fail under each of several orders, with a report that describes the defect.
#include <cstring>

#include "harness.h"

namespace {

struct Case {
    const char* kernel;
    int status;
    const char* words;
    unsigned blocks = 1;
    unsigned threads = 64;
    unsigned shared = 0;
};

const Case cases[] = {
    {"bad_read_past_end", 700, "out-of-bounds read of 4 bytes"},
    {"bad_read_before_start", 700, "before the start of the allocation"},
    {"bad_write_past_end", 700, "0 bytes after the end of the allocation"},
    {"bad_far_write", 700, "out-of-bounds write"},
    {"bad_read_unwritten", 719, "uninitialised read of 4 bytes"},
    {"bad_null", 700, "null pointer"},
    {"bad_host_address", 700, "no device address"},
    {"bad_misaligned_vector", 716, "misaligned"},
    {"bad_misaligned_float", 716, "misaligned"},
    {"bad_misaligned_load16", 716, "misaligned read of 16 bytes"},
    {"bad_copy", 700, "out-of-bounds", 1, 1},
    {"bad_shared_past_end", 700, "shared memory offset 256 of 256 bytes", 1, 64, 256},
    {"bad_shared_unwritten", 719, "uninitialised read", 1, 64, 256},
    {"bad_no_barrier", 719, "", 1, 64, 256},
    {"bad_no_second_barrier", 719, "race: ", 1, 64, 256},
    {"bad_no_syncwarp", 719, "__syncwarp is missing", 1, 64, 256},
    {"bad_syncwarp_for_block", 719, "", 1, 64, 256},
    {"bad_partial_syncwarp", 719, "", 1, 64, 256},
    {"bad_same_element", 719, "race: write"},
    {"bad_global_exchange", 719, ""},
    {"bad_block_overlap", 719, "another block", 4, 64},
    {"bad_block_reads", 719, "another block", 4, 64},
    {"bad_atomic_and_plain", 719, "race"},
    {"bad_early_return", 719, "divergent __syncthreads"},
    {"bad_two_barriers", 719, "divergent __syncthreads"},
    {"bad_barrier_and_shuffle", 719, "divergent"},
    {"bad_shuffle_source", 719, "lane 20, which does not take part"},
    {"bad_shuffle_mask", 719, "lacks the calling lane"},
    {"bad_async_no_wait", 719, "asynchronous copy has not been waited for", 1, 32, 512},
    {"bad_async_no_barrier", 719, "", 1, 32, 512},
    {"bad_async_too_few_waited", 719, "asynchronous copy has not been waited for", 1, 32, 1024},
    {"bad_async_misaligned", 716, "misaligned cp.async", 1, 32, 512},
    {"bad_ldmatrix_misaligned", 716, "misaligned ldmatrix", 1, 32, 2048},
    {"bad_mma_some_lanes", 719, "mma.sync", 1, 32},
    {"bad_trap", 715, "__trap"},
    {"bad_atomic_unwritten", 719, "uninitialised"},
};

void run(const Case& c, int order) {
    Session s(order);
    int n = static_cast<int>(c.threads * c.blocks);
    uint64_t x = s.upload(std::vector<float>(static_cast<size_t>(n) * (c.shared >= 512 ? 4 : 1), 1.0f));
    uint64_t y = s.memory(static_cast<size_t>(n) * 4);
    unsigned long before = sgpt_standin_report_count();
    int status = s.launch(c.kernel, c.blocks, c.threads, c.shared, x, y, n);
    SAME(c.status, status);
    if (status != c.status) {
        printf("  %s, order %d\n", c.kernel, order);
    }
    SAME(before + 1, sgpt_standin_report_count());
    REPORTED(c.words);
    REPORTED(c.kernel);
    // The context is lost: every call returns the error until it is released.
    uint64_t more = 0;
    SAME(c.status, cuMemAlloc_v2(&more, 16));
    SAME(c.status, cuCtxSynchronize());
}

}  // namespace

void test_broken() {
    for (const Case& c : cases) {
        for (int order = 0; order < 6; order++) {
            run(c, order);
        }
    }
    Session s;
    uint64_t x = s.upload(std::vector<float>(64, 1.0f));
    SAME(0, s.launch("ok_scale", 1, 64, 0, x, s.memory(256), 64, 1.0f));
}
