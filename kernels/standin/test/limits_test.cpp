// Launches that a device refuses.
#include "harness.h"

namespace {

int launch(Session& s, const char* name, unsigned gx, unsigned gy, unsigned bx, unsigned bz, unsigned shared) {
    uint64_t x = 0;
    uint64_t y = 0;
    int n = 0;
    float f = 0;
    void* parameters[] = {&x, &y, &n, &f};
    return cuLaunchKernel(s.function(name), gx, gy, 1, bx, 1, bz, shared, s.stream, parameters, nullptr);
}

void attributes(Session& s) {
    void* f = s.function("ok_scale");
    int value = 0;
    SAME(0, cuFuncGetAttribute(&value, 0, f));
    SAME(256, value);
    SAME(1, cuFuncSetAttribute(f, 8, 232449));
    SAME(0, cuFuncSetAttribute(f, 8, 232448));
    SAME(0, launch(s, "ok_scale", 1, 1, 32, 1, 232448));
    SAME(801, cuFuncSetAttribute(f, 12, 1));
    SAME(801, cuFuncGetAttribute(&value, 77, f));
    SAME(801, cuDeviceGetAttribute(&value, 12345, 0));
    REPORTED("12345");
    SAME(0, cuDeviceGetAttribute(&value, 97, 0));
    SAME(232448, value);
}

void parameters(Session& s) {
    int n = 4;
    float factor = 1.0f;
    uint64_t y = s.memory(16);
    uint64_t x = s.upload(std::vector<float>(4));
    uint64_t wrong = 0x1234560;
    void* host[] = {&wrong, &y, &n, &factor};
    void* f = s.function("ok_scale");
    SAME(1, cuLaunchKernel(f, 1, 1, 1, 4, 1, 1, 0, s.stream, host, nullptr));
    REPORTED("pointer parameter 0");
    REPORTED("no device address");
    void* missing[] = {&x, &y, &n, nullptr};
    SAME(1, cuLaunchKernel(f, 1, 1, 1, 4, 1, 1, 0, s.stream, missing, nullptr));
    REPORTED("parameter 3 of 4 is missing");
    uint64_t freed = 0;
    SAME(0, cuMemAlloc_v2(&freed, 64));
    SAME(0, cuMemFree_v2(freed));
    void* stale[] = {&freed, &y, &n, &factor};
    SAME(1, cuLaunchKernel(f, 1, 1, 1, 4, 1, 1, 0, s.stream, stale, nullptr));
    REPORTED("freed allocation");
    SAME(801, cuLaunchKernel(f, 1, 1, 1, 4, 1, 1, 0, s.stream, host, host));
}

}  // namespace

void test_limits() {
    Session s;
    SAME(0, launch(s, "ok_scale", 1, 1, 256, 1, 48 * 1024));
    SAME(1, launch(s, "ok_scale", 1, 1, 257, 1, 0));
    REPORTED("__launch_bounds__ allow 256");
    SAME(1, launch(s, "ok_sum", 1, 1, 1025, 1, 0));
    SAME(1, launch(s, "ok_sum", 1, 1, 512, 3, 0));
    SAME(1, launch(s, "ok_sum", 1, 1, 1, 65, 0));
    SAME(1, launch(s, "ok_sum", 1, 65536, 32, 1, 0));
    REPORTED("65535");
    SAME(1, launch(s, "ok_sum", 0, 1, 32, 1, 0));
    SAME(1, launch(s, "ok_sum", 1, 1, 0, 1, 0));
    SAME(1, launch(s, "ok_sum", 1, 1, 32, 1, 48 * 1024 + 1));
    REPORTED("cuFuncSetAttribute");
    attributes(s);
    parameters(s);
    void* nothing = nullptr;
    SAME(500, cuModuleGetFunction(&nothing, s.module, "no_such_kernel"));
}
