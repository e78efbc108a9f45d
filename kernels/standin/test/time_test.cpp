// The latest and the earliest moment at which work may run, and what a program sees that does not wait.
#include <chrono>
#include <cstring>
#include <thread>

#include "harness.h"

namespace {

constexpr int not_arrived = 0xcb;
constexpr int large = 2 << 20;

/// A session with a second stream, an event and a page of pinned memory filled with ones.
struct Two : Session {
    explicit Two(int order = 0) : Session(order) {
        SAME(0, cuStreamCreate(&other, 1));
        SAME(0, cuEventCreate(&event, 2));
        void* block = nullptr;
        SAME(0, cuMemHostAlloc(&block, 4096, 1));
        pinned = static_cast<volatile unsigned char*>(block);
        memset(block, 1, 4096);
    }
    ~Two() {
        // After an error these fail, and the release frees all.
        cuStreamSynchronize(other);
        cuStreamSynchronize(stream);
        cuMemFreeHost(block());
        cuEventDestroy_v2(event);
        cuStreamDestroy_v2(other);
    }
    void* block() const { return const_cast<unsigned char*>(pinned); }
    /// A page of device memory with a value.
    uint64_t filled(unsigned char value) {
        uint64_t address = memory(4096);
        SAME(0, cuMemsetD8Async(address, value, 4096, stream));
        SAME(0, cuStreamSynchronize(stream));
        return address;
    }

    void* other = nullptr;
    void* event = nullptr;
    volatile unsigned char* pinned = nullptr;
};

void a_moment() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

/// Whether the queue falls to a length without anybody waiting.
bool falls_to(unsigned long length) {
    for (int i = 0; i < 2000 && sgpt_standin_queued() > length; i++) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return sgpt_standin_queued() <= length;
}

void downloads_arrive_when_waited_for() {
    Two s;
    uint64_t a = s.filled(7);
    SAME(0, cuMemcpyDtoHAsync_v2(s.block(), a, 4096, s.stream));
    SAME(0, cuMemsetD8Async(s.memory(4096), 8, 4096, s.other));
    a_moment();
    SAME(not_arrived, static_cast<int>(s.pinned[9]));
    SAME(0, cuStreamSynchronize(s.other));
    SAME(not_arrived, static_cast<int>(s.pinned[9]));
    SAME(0, cuStreamSynchronize(s.stream));
    SAME(7, static_cast<int>(s.pinned[9]));
}

/// With order 1 all that may run does, once the host waits for anything.
void the_newest_first() {
    Two s(1);
    uint64_t a = s.filled(7);
    SAME(0, cuMemsetD8Async(s.memory(4096), 8, 4096, s.other));
    SAME(0, cuMemcpyDtoHAsync_v2(s.block(), a, 4096, s.stream));
    SAME(0, cuStreamSynchronize(s.other));
    SAME(7, static_cast<int>(s.pinned[9]));
}

void uploads_read_when_waited_for() {
    Two s;
    uint64_t a = s.memory(4096);
    SAME(0, cuMemcpyHtoDAsync_v2(a, s.block(), 4096, s.stream));
    SAME(0, cuMemsetD8Async(s.memory(4096), 8, 4096, s.other));
    SAME(0, cuStreamSynchronize(s.other));
    s.pinned[9] = 2;
    SAME(700, cuStreamSynchronize(s.stream));
    REPORTED("changed between the call and the copy");
}

/// Which of two streams runs without a wait, by the order's bits.
void early_streams() {
    for (int order = 2; order < 6; order++) {
        Two s(order);
        SAME(0, cuMemsetD8Async(s.memory(4096), 8, 4096, s.stream));
        SAME(0, cuMemsetD8Async(s.memory(4096), 8, 4096, s.other));
        unsigned long late = (order - 2) % 2 == 0 ? 1 : 0;
        late += (order - 2) / 2 == 0 ? 1 : 0;
        CHECK(falls_to(late));
        a_moment();
        SAME(late, sgpt_standin_queued());
    }
}

void the_host_writes_where_a_download_goes() {
    Two s;
    SAME(0, cuMemcpyDtoHAsync_v2(s.block(), s.filled(7), 4096, s.stream));
    s.pinned[9] = 1;
    SAME(700, cuStreamSynchronize(s.stream));
    REPORTED("changed between the call and the copy");
}

/// A download and an upload of the same host memory, on two streams.
void copies_share_host_memory(bool ordered) {
    Two s;
    uint64_t a = s.filled(7);
    uint64_t b = s.memory(4096);
    SAME(0, cuMemcpyDtoHAsync_v2(s.block(), a, 4096, s.stream));
    SAME(0, cuEventRecord(s.event, s.stream));
    if (ordered) {
        SAME(0, cuStreamWaitEvent(s.other, s.event, 0));
    }
    SAME(0, cuMemcpyHtoDAsync_v2(b, s.block(), 4096, s.other));
    SAME(ordered ? 0 : 700, cuStreamSynchronize(s.other));
    if (ordered) {
        SAME(7, static_cast<int>(s.download<char>(b, 1)[0]));
    } else {
        REPORTED("race: reads host memory that a queued cuMemcpyDtoHAsync writes");
    }
}

/// A download over host memory that a late upload of another stream has still to read.
void a_download_overtakes_an_upload() {
    Two s;
    uint64_t a = s.filled(7);
    SAME(0, cuMemcpyHtoDAsync_v2(s.memory(4096), s.block(), 4096, s.other));
    SAME(0, cuMemcpyDtoHAsync_v2(s.block(), a, 4096, s.stream));
    SAME(700, cuStreamSynchronize(s.stream));
    REPORTED("race: writes host memory that a queued cuMemcpyHtoDAsync reads");
}

void memory_is_freed_in_use() {
    {
        Two s;
        SAME(0, cuMemcpyDtoHAsync_v2(s.block(), s.filled(7), 4096, s.stream));
        SAME(4096ul, sgpt_standin_pinned());
        SAME(1, cuMemFreeHost(s.block()));
        REPORTED("a queued copy uses the memory");
    }
    Two s;
    uint64_t a = 0;
    SAME(0, cuMemAlloc_v2(&a, 4096));
    SAME(0, cuMemsetD8Async(a, 1, 4096, s.stream));
    SAME(0, cuMemFree_v2(a));
    SAME(700, cuStreamSynchronize(s.stream));
    REPORTED("not allocated");
}

/// Who waits for an event waits for its last record before, not for a later one.
void events_are_recorded_again() {
    for (int order = 0; order < 6; order++) {
        Two s(order);
        uint64_t a = s.filled(7);
        void* third = nullptr;
        SAME(0, cuStreamCreate(&third, 1));
        SAME(0, cuMemsetD8Async(a, 8, 4096, s.stream));
        SAME(0, cuEventRecord(s.event, s.stream));
        SAME(0, cuStreamWaitEvent(s.other, s.event, 0));
        SAME(0, cuEventRecord(s.event, third));
        SAME(0, cuMemcpyDtoHAsync_v2(s.block(), a, 4096, s.other));
        SAME(0, cuStreamSynchronize(third));
        SAME(0, cuStreamSynchronize(s.other));
        SAME(8, static_cast<int>(s.pinned[9]));
        SAME(0, cuStreamDestroy_v2(third));
    }
}

/// Late work races with younger work that the host has waited for.
void late_work_races() {
    Two s;
    uint64_t a = s.filled(7);
    SAME(0, cuMemcpyDtoHAsync_v2(s.block(), a, 4096, s.other));
    SAME(0, cuMemsetD8Async(a, 8, 4096, s.stream));
    SAME(0, cuStreamSynchronize(s.stream));
    SAME(0, cuMemsetD8Async(s.memory(4096), 8, 4096, s.stream));
    SAME(0, cuStreamSynchronize(s.stream));
    SAME(700, cuStreamSynchronize(s.other));
    REPORTED("race: read");
}

void large_copies_race(bool ordered) {
    Two s;
    std::vector<char> bytes(large, 'x');
    uint64_t a = s.memory(large);
    SAME(0, cuMemcpyHtoDAsync_v2(a, bytes.data(), large, s.stream));
    if (ordered) {
        SAME(0, cuStreamSynchronize(s.stream));
    }
    SAME(0, cuMemsetD8Async(a, 1, large, s.other));
    SAME(ordered ? 0 : 700, cuCtxSynchronize());
}

void the_queue_has_an_end() {
    Two s;
    uint64_t a = s.memory(4096);
    for (int i = 0; i < 400; i++) {
        SAME(0, cuMemsetD8Async(a, 1, 4096, s.stream));
    }
    CHECK(falls_to(256));
    a_moment();
    CHECK(sgpt_standin_queued() > 200);
}

/// Memory comes back to a pool behind a fill: who reads it then, or fills it on another stream, is reported.
void memory_given_back(bool read, bool ordered) {
    Two s;
    uint64_t a = s.memory(4096);
    SAME(0, cuMemsetD8Async(a, 7, 4096, s.stream));
    SAME(0, cuStreamSynchronize(s.stream));
    SAME(0, sgpt_standin_given_back(a, 4096, s.stream));
    SAME(0, cuEventRecord(s.event, s.stream));
    if (ordered) {
        SAME(0, cuStreamWaitEvent(s.other, s.event, 0));
    }
    if (read) {
        SAME(0, cuMemcpyDtoHAsync_v2(s.block(), a, 4096, s.other));
    } else {
        SAME(0, cuMemsetD8Async(a, 8, 4096, s.other));
    }
    SAME(read || !ordered ? 700 : 0, cuCtxSynchronize());
    if (read || !ordered) {
        REPORTED(ordered ? "uninitialised bytes" : "race");
    }
}

int asked = 0;
int leave_out_records(const char* function) {
    asked++;
    return strcmp(function, "cuEventRecord") == 0 ? 1 : 0;
}

/// A test leaves waits out, and work goes on after a fault.
void waits_are_left_out() {
    option("SGPT_STANDIN_GO_ON", "1");
    {
        Two s;
        uint64_t a = s.filled(7);
        sgpt_standin_on_order(leave_out_records);
        SAME(0, cuMemsetD8Async(a, 8, 4096, s.stream));
        SAME(0, cuEventRecord(s.event, s.stream));
        SAME(0, cuStreamWaitEvent(s.other, s.event, 0));
        sgpt_standin_on_order(nullptr);
        SAME(0, cuMemcpyDtoHAsync_v2(s.block(), a, 4096, s.other));
        unsigned long before = sgpt_standin_report_count();
        SAME(0, cuCtxSynchronize());
        SAME(before + 1, sgpt_standin_report_count());
        REPORTED("race");
        // A wait for an event that was never recorded is none, so it is not asked about.
        SAME(1, asked);
    }
    option("SGPT_STANDIN_GO_ON", "");
}

}  // namespace

void test_time() {
    downloads_arrive_when_waited_for();
    the_newest_first();
    uploads_read_when_waited_for();
    early_streams();
    the_host_writes_where_a_download_goes();
    copies_share_host_memory(true);
    copies_share_host_memory(false);
    a_download_overtakes_an_upload();
    memory_is_freed_in_use();
    events_are_recorded_again();
    late_work_races();
    large_copies_race(true);
    large_copies_race(false);
    the_queue_has_an_end();
    memory_given_back(false, true);
    memory_given_back(false, false);
    memory_given_back(true, true);
    memory_given_back(true, false);
    waits_are_left_out();
}
