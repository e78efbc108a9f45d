// Services of the stand-in's driver for its other libraries (cuBLASLt, NVRTC), across shared libraries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace standin {

struct Services {
    /// Code of an injected failure of this function, or 0.
    int (*injected_failure)(const char* function);
    void (*report)(const std::string& text);
    /// Compute capability of the devices, 10 * major + minor.
    int (*capability)();
    /// Ordinal of the device whose context is current on this thread, -1 if none is, -2 if its context has failed.
    int (*device)();
    /// Queues work on a stream. Returns 0 or a CUresult.
    int (*enqueue)(void* stream, const char* what, std::function<int(std::string& why)> work);
    /// As in memory.h, with use 0 for allocated, 1 for read, 2 for write; a size of zero is allowed.
    std::string (*check_range)(int device, uint64_t address, size_t size, int use);
    std::string (*describe_address)(uint64_t address);
    /// Makes a range unreadable until it is written again.
    void (*forget)(uint64_t address, size_t size);
    /// Counts handles, to report those that were never destroyed at the end of the process.
    void (*count_handle)(const char* kind, int change);
    bool (*has_kernels_of)(const char* file);
    /// Hash of the source file (without folders) as it was compiled, 0 if unknown.
    uint64_t (*source_hash)(const char* file);
    /// Hash of a text, never 0.
    uint64_t (*text_hash)(const char* text, size_t size);
    /// Milliseconds that products by cuBLASLt's plain algorithm take longer.
    int (*slow_products)();
};

}  // namespace standin

extern "C" __attribute__((visibility("default"))) const standin::Services* sgpt_standin_services();

// For tests: called with the function's name at every wait, query and record that has passed its checks, on the caller's
// thread; if it returns something else than 0, the call does nothing and succeeds. Null ends that.
extern "C" __attribute__((visibility("default"))) void sgpt_standin_on_order(int (*hook)(const char* function));
// For tests: operations of all devices that are queued and not done.
extern "C" __attribute__((visibility("default"))) unsigned long sgpt_standin_queued();
// For tests: bytes of pinned memory that live.
extern "C" __attribute__((visibility("default"))) unsigned long sgpt_standin_pinned();
// For owners of pools: device memory is not in use any more once the stream has done what is queued on it. From there on
// it is unwritten, and what uses it on another stream has to come after that.
extern "C" __attribute__((visibility("default"))) int sgpt_standin_given_back(uint64_t address, size_t bytes,
                                                                              void* stream);
// For tests: the last report's text, and the number of reports.
extern "C" __attribute__((visibility("default"))) const char* sgpt_standin_last_report();
extern "C" __attribute__((visibility("default"))) unsigned long sgpt_standin_report_count();
