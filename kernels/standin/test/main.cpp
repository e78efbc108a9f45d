#include <chrono>
#include <cstring>

#include "harness.h"

int failures = 0;

void option(const char* name, const std::string& value) { setenv(name, value.c_str(), 1); }

Session::Session(int order, int device) : device_(device) {
    option("SGPT_STANDIN_ORDER", std::to_string(order));
    SAME(0, cuDevicePrimaryCtxRetain(&context, device));
    SAME(0, cuCtxSetCurrent(context));
    SAME(0, cuStreamCreate(&stream, 1));
    SAME(0, cuModuleLoadData(&module, "SGPT-STANDIN-IMAGE\narch=75\nptx=1\nfile=\n"));
}

Session::~Session() {
    // After an error these fail, and the release frees all.
    for (uint64_t address : memory_) {
        cuMemFree_v2(address);
    }
    cuModuleUnload(module);
    cuStreamDestroy_v2(stream);
    SAME(0, cuDevicePrimaryCtxRelease_v2(device_));
}

uint64_t Session::memory(size_t bytes) {
    uint64_t address = 0;
    SAME(0, cuMemAlloc_v2(&address, bytes));
    memory_.push_back(address);
    return address;
}

void* Session::function(const char* name) {
    void* f = nullptr;
    SAME(0, cuModuleGetFunction(&f, module, name));
    return f;
}

int main(int count, char** arguments) {
    option("SGPT_STANDIN_QUIET", "1");
    option("SGPT_STANDIN_RECOVER", "1");
    struct Test {
        const char* name;
        void (*run)();
    };
    const Test tests[] = {
        {"numbers", test_numbers},   {"matrices", test_matrices}, {"correct", test_correct},
        {"broken", test_broken},     {"limits", test_limits},     {"driver", test_driver},
        {"streams", test_streams},   {"time", test_time},         {"graphs", test_graphs},
        {"cublaslt", test_cublaslt}, {"nvrtc", test_nvrtc},
    };
    SAME(3, cuDeviceGetCount(&failures));
    SAME(0, cuInit(0));
    for (const Test& test : tests) {
        if (count > 1 && strcmp(arguments[1], test.name) != 0) {
            continue;
        }
        int before = failures;
        auto start = std::chrono::steady_clock::now();
        test.run();
        std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
        printf("%-10s %s (%.1f s)\n", test.name, failures == before ? "passed" : "FAILED", time.count());
    }
    return failures == 0 ? 0 : 1;
}
