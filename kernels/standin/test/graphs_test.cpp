// Captures of streams: what they record, when a graph's operations run, and which calls they forbid.
#include <algorithm>
#include <functional>
#include <thread>

#include "harness.h"

namespace {

constexpr int global_mode = 0;
constexpr int thread_mode = 1;
constexpr int relaxed_mode = 2;

/// A session with a second stream, an event and a page of pinned memory.
struct Capturing : Session {
    explicit Capturing(int order = 0) : Session(order) {
        SAME(0, cuStreamCreate(&other, 1));
        SAME(0, cuEventCreate(&event, 2));
        void* made = nullptr;
        SAME(0, cuMemHostAlloc(&made, 4096, 1));
        pinned = static_cast<int*>(made);
    }
    ~Capturing() {
        // After an error these fail, and the release frees all.
        if (executable != nullptr) {
            cuGraphExecDestroy(executable);
        }
        cuStreamSynchronize(other);
        cuStreamSynchronize(stream);
        cuMemFreeHost(pinned);
        cuEventDestroy_v2(event);
        cuStreamDestroy_v2(other);
    }
    void begin(int mode = thread_mode) { SAME(0, cuStreamBeginCapture_v2(stream, mode)); }
    /// Ends the capture and makes the graph executable.
    void end() {
        void* graph = nullptr;
        SAME(0, cuStreamEndCapture(stream, &graph));
        SAME(0, cuGraphInstantiateWithFlags(&executable, graph, 0));
        SAME(0, cuGraphDestroy(graph));
    }
    int replay() { return cuGraphLaunch(executable, stream); }
    int scale(uint64_t x, uint64_t y, float factor) {
        int n = 64;
        void* parameters[] = {&x, &y, &n, &factor};
        return cuLaunchKernel(function("ok_scale"), 1, 1, 1, 64, 1, 1, 0, stream, parameters, nullptr);
    }

    void* other = nullptr;
    void* event = nullptr;
    void* executable = nullptr;
    int* pinned = nullptr;
};

/// Nothing runs while it is recorded; each launch runs it all, with what is in memory then.
void launches_repeat_what_was_recorded(int order) {
    Capturing s(order);
    uint64_t x = s.upload(std::vector<float>(64, 1.0f));
    uint64_t y = s.upload(std::vector<float>(64, 5.0f));
    uint64_t z = s.memory(256);
    s.begin();
    SAME(0, s.scale(x, y, 2.0f));
    SAME(0, s.scale(y, z, 3.0f));
    SAME(0, cuMemcpyDtoDAsync_v2(x, z, 256, s.stream));
    SAME(0ul, sgpt_standin_queued());
    s.end();
    SAME(5.0f, s.download<float>(y, 1)[0]);
    SAME(0, s.replay());
    if (order < 3 || (order & 1) == 0) {
        SAME(3ul, sgpt_standin_queued());  // the stream is none that runs early
    }
    SAME(0, s.replay());
    SAME(36.0f, s.download<float>(x, 1)[0]);
    SAME(12.0f, s.download<float>(y, 1)[0]);
}

/// Copies from and to the host read and write what is there at each launch.
void copies_are_made_anew() {
    Capturing s;
    uint64_t x = s.memory(64);
    s.begin();
    SAME(0, cuMemcpyHtoDAsync_v2(x, s.pinned, 64, s.stream));
    SAME(0, cuMemsetD32Async(x, 9, 1, s.stream));
    SAME(0, cuMemcpyDtoHAsync_v2(s.pinned + 64, x, 64, s.stream));
    s.end();
    for (int value = 1; value < 4; value++) {
        std::fill(s.pinned, s.pinned + 16, value);
        SAME(0, s.replay());
        CHECK(s.pinned[64] != 9);
        SAME(0, cuStreamSynchronize(s.stream));
        SAME(9, s.pinned[64]);
        SAME(value, s.pinned[65]);
    }
    SAME(0, s.replay());
    s.pinned[3] = 77;
    SAME(700, cuStreamSynchronize(s.stream));
    REPORTED("changed between the call and the copy");
}

/// What a graph uses must be there when it is launched, and ordered against other streams.
void operations_are_checked_at_each_launch() {
    {
        Capturing s;
        uint64_t x = s.upload(std::vector<float>(64, 1.0f));
        uint64_t y = 0;
        SAME(0, cuMemAlloc_v2(&y, 256));
        s.begin();
        SAME(0, s.scale(x, y, 2.0f));
        s.end();
        SAME(0, cuMemFree_v2(y));
        SAME(0, s.replay());
        SAME(700, cuStreamSynchronize(s.stream));
    }
    Capturing s;
    uint64_t x = s.upload(std::vector<float>(64, 1.0f));
    uint64_t y = s.memory(256);
    s.begin();
    SAME(0, s.scale(x, y, 2.0f));
    s.end();
    SAME(0, s.replay());
    SAME(0, cuMemsetD32Async(x, 0, 64, s.other));
    int status = cuCtxSynchronize();
    CHECK(status == 719 || status == 700);
    REPORTED("race");
}

/// Runs a call while a stream is captured; the capture is then invalid or not.
void forbidden(int expected, int mode, bool invalid, const std::function<int(Capturing&)>& call) {
    Capturing s;
    uint64_t x = s.upload(std::vector<float>(64, 1.0f));
    s.begin(mode);
    SAME(expected, call(s));
    SAME(invalid ? 901 : 0, cuMemsetD32Async(x, 0, 1, s.stream));
    void* graph = nullptr;
    SAME(invalid ? 901 : 0, cuStreamEndCapture(s.stream, &graph));
    CHECK((graph == nullptr) == invalid);
    if (graph != nullptr) {
        SAME(0, cuGraphDestroy(graph));
    }
    SAME(1.0f, s.download<float>(x, 1)[0]);  // the stream is as it was
}

int allocate(Capturing&) {
    uint64_t address = 0;
    int status = cuMemAlloc_v2(&address, 64);
    return status != 0 ? status : cuMemFree_v2(address);
}

/// Calls on another thread.
int elsewhere(Capturing& s, const std::function<int(Capturing&)>& call) {
    int status = -1;
    std::thread thread([&] { status = cuCtxSetCurrent(s.context) != 0 ? -2 : call(s); });
    thread.join();
    return status;
}

void calls_that_captures_forbid() {
    const std::function<int(Capturing&)> unsafe[] = {
        allocate,
        [](Capturing&) { return cuMemFree_v2(uint64_t{1} << 50); },
        [](Capturing&) {
            void* block = nullptr;
            return cuMemHostAlloc(&block, 64, 1);
        },
        [](Capturing& s) { return cuMemFreeHost(s.pinned); },
        [](Capturing& s) { return cuEventQuery(s.event); },
        [](Capturing& s) { return cuEventSynchronize(s.event); },
        [](Capturing& s) { return cuStreamQuery(s.other); },
        [](Capturing& s) { return cuStreamSynchronize(s.other); },
        [](Capturing&) { return cuStreamSynchronize(nullptr); },
        [](Capturing& s) { return cuModuleUnload(s.module); },
        [](Capturing&) {
            void* module = nullptr;
            return cuModuleLoadData(&module, "SGPT-STANDIN-IMAGE\narch=75\nptx=1\nfile=\n");
        },
    };
    for (const auto& call : unsafe) {
        forbidden(900, global_mode, true, call);
        forbidden(900, thread_mode, true, call);
        forbidden(900, global_mode, true, [&](Capturing& s) { return elsewhere(s, call); });
    }
    for (const auto& call : {unsafe[0], unsafe[4], unsafe[5], unsafe[6], unsafe[7]}) {
        forbidden(0, thread_mode, false, [&](Capturing& s) { return elsewhere(s, call); });
        forbidden(0, relaxed_mode, false, call);
    }
}

/// These are at odds with the capture whatever its mode and on whatever thread.
void calls_at_odds_with_any_capture() {
    const std::function<int(Capturing&)> conflicts[] = {
        [](Capturing& s) { return cuStreamSynchronize(s.stream); },
        [](Capturing& s) { return cuStreamQuery(s.stream); },
        [](Capturing&) { return cuCtxSynchronize(); },
    };
    for (const auto& call : conflicts) {
        for (int mode : {global_mode, thread_mode, relaxed_mode}) {
            forbidden(900, mode, true, call);
            forbidden(900, mode, true, [&](Capturing& s) { return elsewhere(s, call); });
        }
    }
    auto recorded = [](const std::function<int(Capturing&)>& call) {
        return [call](Capturing& s) {
            SAME(0, cuEventRecord(s.event, s.stream));
            return call(s);
        };
    };
    forbidden(907, relaxed_mode, true, recorded([](Capturing& s) { return cuEventQuery(s.event); }));
    forbidden(907, relaxed_mode, true, recorded([](Capturing& s) { return cuEventSynchronize(s.event); }));
    forbidden(0, relaxed_mode, false, recorded([](Capturing& s) { return cuStreamWaitEvent(s.stream, s.event, 0); }));
    forbidden(801, relaxed_mode, false, recorded([](Capturing& s) { return cuStreamWaitEvent(s.other, s.event, 0); }));
    forbidden(905, relaxed_mode, true, [](Capturing& s) {
        SAME(0, cuEventRecord(s.event, s.other));
        return cuStreamWaitEvent(s.stream, s.event, 0);
    });
    forbidden(908, thread_mode, false, [](Capturing& s) {
        return elsewhere(s, [](Capturing& t) {
            void* graph = nullptr;
            return cuStreamEndCapture(t.stream, &graph);
        });
    });
    forbidden(401, thread_mode, false, [](Capturing& s) { return cuStreamBeginCapture_v2(s.stream, thread_mode); });
}

/// The null stream would wait for a blocking stream, which does not run.
void the_null_stream() {
    Capturing s;
    SAME(900, cuStreamBeginCapture_v2(nullptr, relaxed_mode));
    uint64_t x = s.memory(64);
    void* blocking = nullptr;
    SAME(0, cuStreamCreate(&blocking, 0));
    SAME(0, cuStreamBeginCapture_v2(blocking, relaxed_mode));
    SAME(906, cuMemsetD32Async(x, 1, 1, nullptr));
    void* graph = nullptr;
    SAME(901, cuStreamEndCapture(blocking, &graph));
    SAME(0, cuStreamDestroy_v2(blocking));
    s.begin(relaxed_mode);
    SAME(0, cuMemsetD32Async(x, 1, 1, nullptr));
    SAME(0, cuStreamEndCapture(s.stream, &graph));
    SAME(0, cuGraphDestroy(graph));
}

void handles() {
    Capturing s;
    void* graph = nullptr;
    SAME(1, cuStreamBeginCapture_v2(s.stream, 3));
    SAME(401, cuStreamEndCapture(s.stream, &graph));
    SAME(1, cuGraphInstantiateWithFlags(&s.executable, graph, 0));
    s.begin();
    SAME(0, cuStreamEndCapture(s.stream, &graph));
    SAME(801, cuGraphInstantiateWithFlags(&s.executable, graph, 1));
    SAME(1, cuGraphLaunch(graph, s.stream));
    SAME(1, cuGraphExecDestroy(graph));
    SAME(0, cuGraphDestroy(graph));
    SAME(1, cuGraphDestroy(graph));
}

/// What was launched runs, whatever becomes of the graph.
void a_graph_is_destroyed_in_flight() {
    Capturing s;
    uint64_t x = s.upload(std::vector<float>(64, 1.0f));
    uint64_t y = s.memory(256);
    s.begin();
    SAME(0, s.scale(x, y, 2.0f));
    s.end();
    SAME(0, s.replay());
    SAME(0, cuGraphExecDestroy(s.executable));
    SAME(1, s.replay());
    s.executable = nullptr;
    SAME(2.0f, s.download<float>(y, 1)[0]);
}

void what_is_left_is_reported() {
    unsigned long before = 0;
    {
        Capturing s;
        s.begin();
        s.end();
        s.executable = nullptr;
        before = sgpt_standin_report_count();
    }
    SAME(before + 2, sgpt_standin_report_count());  // the module's end as well
    REPORTED("1 executable graphs");
}

}  // namespace

void test_graphs() {
    for (int order = 0; order < 6; order++) {
        launches_repeat_what_was_recorded(order);
    }
    copies_are_made_anew();
    operations_are_checked_at_each_launch();
    calls_that_captures_forbid();
    calls_at_odds_with_any_capture();
    the_null_stream();
    handles();
    a_graph_is_destroyed_in_flight();
    what_is_left_is_reported();
}
