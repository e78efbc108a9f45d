// The driver's bookkeeping: errors, limits, leaks, options.
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <thread>

#include "harness.h"

namespace {

void memory() {
    option("SGPT_STANDIN_MEMORY", "1000000");
    {
        Session s;
        size_t free = 0;
        size_t total = 0;
        SAME(0, cuMemGetInfo_v2(&free, &total));
        SAME(size_t{1000000}, total);
        uint64_t a = s.memory(600000);
        CHECK(a % 256 == 0);
        uint64_t b = 0;
        SAME(2, cuMemAlloc_v2(&b, 600000));
        SAME(1, cuMemAlloc_v2(&b, 0));
        SAME(0, cuMemGetInfo_v2(&free, &total));
        CHECK(free < 400001);
        SAME(1, cuMemFree_v2(a + 512));
        REPORTED("no allocation begins");
    }
    option("SGPT_STANDIN_MEMORY", "");
}

void copies() {
    Session s;
    std::vector<char> bytes(1000, 'x');
    uint64_t a = s.memory(1000);
    SAME(1, cuMemcpyHtoDAsync_v2(a, bytes.data(), 1001, s.stream));
    REPORTED("too many");
    SAME(1, cuMemcpyHtoDAsync_v2(a + 1, bytes.data(), 1000, s.stream));
    SAME(1, cuMemcpyDtoHAsync_v2(bytes.data(), reinterpret_cast<uint64_t>(bytes.data()), 10, s.stream));
    SAME(1, cuMemsetD32Async(a + 2, 0, 10, s.stream));
    SAME(0, cuMemsetD32Async(a, 0x01020304, 10, s.stream));
    SAME(0, cuMemsetD8Async(a + 40, 7, 960, s.stream));
    uint64_t b = s.memory(1000);
    SAME(0, cuMemcpyDtoDAsync_v2(b, a, 1000, s.stream));
    std::vector<unsigned char> back = s.download<unsigned char>(b, 1000);
    SAME(4, static_cast<int>(back[0]));
    SAME(1, static_cast<int>(back[39]));
    SAME(7, static_cast<int>(back[999]));
    uint64_t c = s.memory(1000);
    SAME(0, cuMemcpyDtoDAsync_v2(b, c, 500, s.stream));
    SAME(700, cuMemcpyDtoHAsync_v2(back.data(), b, 1000, s.stream));
    REPORTED("uninitialised bytes");
}

void late_host_memory() {
    void* pinned = nullptr;
    {
        Session s;
        SAME(0, cuMemHostAlloc(&pinned, 4096, 1));
        memset(pinned, 1, 4096);
        uint64_t a = s.memory(4096);
        SAME(0, cuMemcpyHtoDAsync_v2(a, pinned, 4096, s.stream));
        static_cast<char*>(pinned)[77] = 2;
        SAME(700, cuStreamSynchronize(s.stream));
        REPORTED("changed between the call and the copy");
    }
    Session s;
    SAME(0, cuMemHostAlloc(&pinned, 4096, 1));
    memset(pinned, 1, 4096);
    uint64_t a = s.memory(4096);
    SAME(0, cuMemsetD8Async(a, 5, 4096, s.stream));
    SAME(0, cuMemcpyDtoHAsync_v2(pinned, a, 4096, s.stream));
    SAME(0xcb, static_cast<int>(static_cast<volatile unsigned char*>(pinned)[5]));
    SAME(0, cuMemcpyHtoDAsync_v2(a, pinned, 4096, s.stream));  // the download comes first
    SAME(0, cuStreamSynchronize(s.stream));
    SAME(5, static_cast<int>(static_cast<volatile char*>(pinned)[5]));
    SAME(0, cuMemFreeHost(pinned));
    SAME(1, cuMemFreeHost(&s));
}

void leaks() {
    void* context = nullptr;
    unsigned long before = sgpt_standin_report_count();
    SAME(0, cuDevicePrimaryCtxRetain(&context, 0));
    SAME(0, cuCtxSetCurrent(context));
    uint64_t a = 0;
    void* event = nullptr;
    SAME(0, cuMemAlloc_v2(&a, 12345));
    SAME(0, cuEventCreate(&event, 2));
    SAME(0, cuDevicePrimaryCtxRelease_v2(0));
    SAME(before + 1, sgpt_standin_report_count());
    REPORTED("leaked on device 0");
    REPORTED("12345 bytes");
    REPORTED("1 events");
    SAME(201, cuMemAlloc_v2(&a, 16));
    SAME(201, cuDevicePrimaryCtxRelease_v2(0));
}

void injected() {
    option("SGPT_STANDIN_FAIL", "cuMemAlloc:2@2, cuStreamSynchronize:700@1");
    {
        Session s;
        s.memory(16);
        uint64_t a = 0;
        SAME(2, cuMemAlloc_v2(&a, 16));
        s.memory(16);
        SAME(700, cuStreamSynchronize(s.stream));
        SAME(700, cuMemAlloc_v2(&a, 16));
    }
    option("SGPT_STANDIN_FAIL", "");
}

void options_file() {
    char path[] = "/tmp/sgpt-standin-options-XXXXXX";
    int file = mkstemp(path);
    CHECK(file >= 0);
    close(file);
    std::ofstream(path) << "# comment\nSGPT_STANDIN_CC = 75\nSGPT_STANDIN_DEVICES=3\nSGPT_STANDIN_DRIVER=12040\n";
    option("SGPT_STANDIN_OPTIONS", path);
    {
        Session s;
        int value = 0;
        SAME(0, cuDeviceGetAttribute(&value, 76, 0));
        SAME(5, value);
        SAME(0, cuDeviceGetAttribute(&value, 97, 0));
        SAME(65536, value);
        SAME(0, cuDeviceGetCount(&value));
        SAME(3, value);
        SAME(0, cuDriverGetVersion(&value));
        SAME(12040, value);
    }
    unsetenv("SGPT_STANDIN_OPTIONS");
    unlink(path);
    Session s;
    int value = 0;
    SAME(101, cuDeviceGet(&value, 1));
}

void several_devices() {
    option("SGPT_STANDIN_DEVICES", "2");
    {
        Session first(0, 0);
        uint64_t x = first.upload(std::vector<float>(32, 1.0f));
        Session second(0, 1);
        uint64_t y = second.memory(128);
        SAME(1, second.launch("ok_scale", 1, 32, 0, x, y, 32, 1.0f));
        REPORTED("the kernel runs on device 1");
        uint64_t z = second.upload(std::vector<float>(32, 2.0f));
        SAME(0, second.launch("ok_scale", 1, 32, 0, z, y, 32, 1.0f));
        SAME(2.0f, second.download<float>(y, 32)[31]);
        cuCtxSetCurrent(second.context);
    }
    option("SGPT_STANDIN_DEVICES", "");
}

void errors() {
    const char* text = nullptr;
    SAME(0, cuGetErrorName(700, &text));
    SAME(0, strcmp(text, "CUDA_ERROR_ILLEGAL_ADDRESS"));
    SAME(0, cuGetErrorString(2, &text));
    SAME(0, strcmp(text, "out of memory"));
    SAME(1, cuGetErrorName(31337, &text));
    option("SGPT_STANDIN_DEVICES", "0");
    SAME(100, cuInit(0));
    option("SGPT_STANDIN_DEVICES", "");
    SAME(0, cuInit(0));
    Session s;
    SAME(400, cuStreamSynchronize(&s));
    std::thread([] {
        uint64_t a = 0;
        SAME(201, cuMemAlloc_v2(&a, 16));
    }).join();
    void* module = nullptr;
    SAME(200, cuModuleLoadData(&module, "no image at all"));
}

void reset() {
    Session s;
    uint64_t nothing = 0;
    SAME(715, s.launch("bad_trap", 1, 1, 0, nothing, nothing, 0));
    SAME(715, cuCtxSynchronize());
    SAME(0, cuDevicePrimaryCtxReset_v2(0));
    SAME(0, cuCtxSetCurrent(s.context));
    SAME(0, cuCtxSynchronize());
    SAME(400, cuStreamSynchronize(s.stream));
}

void lost_devices() {
    option("SGPT_STANDIN_RECOVER", "0");
    for (int code : {700, 702, 719, 911}) {
        option("SGPT_STANDIN_FAIL", "cuCtxSynchronize:" + std::to_string(code) + "@1");
        {
            Session s;
            SAME(code, cuCtxSynchronize());
            option("SGPT_STANDIN_FAIL", "");
            SAME(code, cuDevicePrimaryCtxReset_v2(0));
            SAME(code, cuCtxSetCurrent(s.context));
            SAME(code, cuCtxSynchronize());
        }
        void* context = nullptr;
        SAME(code, cuDevicePrimaryCtxRetain(&context, 0));
        option("SGPT_STANDIN_RECOVER", "1");
        { Session recovered; }
        option("SGPT_STANDIN_RECOVER", "0");
    }
    // The context alone is lost.
    option("SGPT_STANDIN_FAIL", "cuCtxSynchronize:710@1");
    {
        Session s;
        SAME(710, cuCtxSynchronize());
        SAME(710, cuCtxSynchronize());
    }
    option("SGPT_STANDIN_FAIL", "");
    { Session next; }
    option("SGPT_STANDIN_RECOVER", "1");
}

}  // namespace

void test_driver() {
    memory();
    copies();
    late_host_memory();
    leaks();
    injected();
    options_file();
    several_devices();
    errors();
    reset();
    lost_devices();
}
