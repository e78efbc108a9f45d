// Order between streams, events, and contexts that are used by several host threads.
#include <atomic>
#include <cstring>
#include <thread>

#include "harness.h"

namespace {

/// y = 2 x on one stream, z = 3 y on another. Returns whether that works, which it does only if the event orders them.
bool pipeline(int order, bool with_event) {
    Session s(order);
    void* other = nullptr;
    void* event = nullptr;
    SAME(0, cuStreamCreate(&other, 1));
    SAME(0, cuEventCreate(&event, 2));
    uint64_t x = s.upload(std::vector<float>(64, 1.0f));
    uint64_t y = s.memory(256);
    uint64_t z = s.memory(256);
    int n = 64;
    float two = 2.0f;
    float three = 3.0f;
    void* first[] = {&x, &y, &n, &two};
    void* second[] = {&y, &z, &n, &three};
    void* f = s.function("ok_scale");
    SAME(0, cuLaunchKernel(f, 1, 1, 1, 64, 1, 1, 0, other, first, nullptr));
    SAME(0, cuEventRecord(event, other));
    if (with_event) {
        SAME(0, cuStreamWaitEvent(s.stream, event, 0));
    }
    SAME(0, cuLaunchKernel(f, 1, 1, 1, 64, 1, 1, 0, s.stream, second, nullptr));
    bool right = cuStreamSynchronize(s.stream) == 0 && s.download<float>(z, 1)[0] == 6.0f;
    int status = cuEventSynchronize(event);
    CHECK(right ? status == 0 : status == 719);
    SAME(status, cuEventDestroy_v2(event));
    SAME(status, cuStreamDestroy_v2(other));
    return right;
}

/// An upload into memory that a kernel of another stream reads, with and without waiting for it.
void copies_race(int order, bool wait) {
    Session s(order);
    void* other = nullptr;
    SAME(0, cuStreamCreate(&other, 1));
    uint64_t x = s.upload(std::vector<float>(64, 1.0f));
    uint64_t y = s.memory(256);
    int n = 64;
    float two = 2.0f;
    void* parameters[] = {&x, &y, &n, &two};
    SAME(0, cuLaunchKernel(s.function("ok_scale"), 1, 1, 1, 64, 1, 1, 0, s.stream, parameters, nullptr));
    if (wait) {
        SAME(0, cuStreamSynchronize(s.stream));
    }
    SAME(0, cuMemsetD32Async(x, 0, 64, other));
    int status = cuCtxSynchronize();
    CHECK(wait ? status == 0 : status == 719 || status == 700);
    if (!wait) {
        REPORTED("race");
    }
    cuStreamDestroy_v2(other);
}

void events() {
    Session s;
    void* start = nullptr;
    void* end = nullptr;
    SAME(0, cuEventCreate(&start, 0));
    SAME(0, cuEventCreate(&end, 0));
    SAME(0, cuEventQuery(start));
    float time = -1.0f;
    SAME(400, cuEventElapsedTime(&time, start, end));
    uint64_t x = s.upload(std::vector<float>(64, 1.0f));
    SAME(0, cuEventRecord(start, s.stream));
    SAME(0, s.launch("ok_scale", 1, 64, 0, x, s.memory(256), 64, 1.0f));
    SAME(0, cuEventRecord(end, s.stream));
    int status = 600;
    while (status == 600) {
        status = cuEventQuery(end);
    }
    SAME(0, status);
    SAME(0, cuEventElapsedTime_v2(&time, start, end));
    CHECK(time > 0.0f && time < 60000.0f);
    SAME(0, cuEventDestroy_v2(start));
    SAME(0, cuEventDestroy_v2(end));
    SAME(400, cuEventDestroy_v2(end));
}

/// The null stream and blocking streams wait for each other.
void null_stream() {
    for (int order = 0; order < 10; order++) {
        Session s(order);
        void* blocking = nullptr;
        SAME(0, cuStreamCreate(&blocking, 0));
        uint64_t a = s.memory(4);
        SAME(0, cuMemsetD32Async(a, 1, 1, blocking));
        SAME(0, cuMemsetD32Async(a, 2, 1, nullptr));
        SAME(0, cuMemsetD32Async(a, 3, 1, blocking));
        SAME(0, cuStreamSynchronize(blocking));
        SAME(3, s.download<int>(a, 1)[0]);
        SAME(0, cuStreamDestroy_v2(blocking));
    }
}

void host_threads() {
    Session s(2);
    uint64_t x = s.upload(std::vector<float>(256, 1.0f));
    void* f = s.function("ok_scale");
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++) {
        threads.emplace_back([&, t] {
            int status = cuCtxSetCurrent(s.context);
            void* stream = nullptr;
            status |= cuStreamCreate(&stream, 1);
            for (int round = 0; round < 50; round++) {
                uint64_t y = 0;
                status |= cuMemAlloc_v2(&y, 1024);
                int n = 256;
                float factor = static_cast<float>(t * 100 + round);
                void* parameters[] = {&x, &y, &n, &factor};
                status |= cuLaunchKernel(f, 1, 1, 1, 256, 1, 1, 0, stream, parameters, nullptr);
                float result[256];
                status |= cuMemcpyDtoHAsync_v2(result, y, sizeof result, stream);
                status |= cuStreamSynchronize(stream);
                wrong += result[255] == factor ? 0 : 1;
                status |= cuMemFree_v2(y);
            }
            status |= cuStreamDestroy_v2(stream);
            wrong += status == 0 ? 0 : 1;
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    SAME(0, wrong.load());
}

}  // namespace

void test_streams() {
    for (int order = 0; order < 20; order++) {
        CHECK(pipeline(order, true));
        CHECK(!pipeline(order, false));
        copies_race(order, true);
        copies_race(order, false);
    }
    REPORTED("another stream");
    events();
    null_stream();
    host_threads();
}
