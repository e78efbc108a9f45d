// Captures of streams, and graphs. A graph's launch queues its operations one after another, so that they run as late and
// in as many orders as others do.
#include "api.h"
#include "device.h"

using namespace standin;

namespace {

bool is_among(Device& d, const std::set<Graph*>& graphs, void* handle) {
    std::lock_guard<std::mutex> guard(d.mutex);
    return graphs.count(static_cast<Graph*>(handle)) > 0;
}

int bad_stream(const Call& call) { return call.refuse(400, "this is no stream of the current context"); }
int bad_graph(const Call& call) { return call.refuse(1, "this is no graph of the current context"); }

int destroy(Call& call, std::set<Graph*> Device::* kind, void* handle) {
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    Device& d = call.device();
    if (!is_among(d, d.*kind, handle)) {
        return bad_graph(call);
    }
    // What was launched runs to its end.
    std::lock_guard<std::mutex> guard(d.mutex);
    Graph* graph = static_cast<Graph*>(handle);
    (d.*kind).erase(graph);
    delete graph;
    return 0;
}

}  // namespace

SGPT_API cuStreamBeginCapture_v2(void* handle, int mode) {
    Call call("cuStreamBeginCapture");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    if (mode < 0 || mode > 2) {
        return call.refuse(1, "mode " + std::to_string(mode));
    }
    if (handle == nullptr) {
        return call.refuse(900, "the null stream cannot be captured");
    }
    Device& d = call.device();
    Stream* stream = d.stream_of(handle);
    if (stream == nullptr) {
        return bad_stream(call);
    }
    std::unique_lock<std::mutex> lock(d.mutex);
    if (stream->capture != nullptr) {
        lock.unlock();
        return call.refuse(401, "the stream is captured already");
    }
    stream->capture.reset(new Capture{static_cast<CaptureMode>(mode), std::this_thread::get_id(), false, {}});
    return 0;
}

SGPT_API cuStreamEndCapture(void* handle, void** graph) {
    Call call("cuStreamEndCapture");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    Device& d = call.device();
    Stream* stream = d.stream_of(handle);
    if (stream == nullptr) {
        return bad_stream(call);
    }
    std::unique_lock<std::mutex> lock(d.mutex);
    if (stream->capture == nullptr) {
        lock.unlock();
        return call.refuse(401, "the stream is not captured");
    }
    if (stream->capture->mode != CaptureMode::relaxed && stream->capture->thread != std::this_thread::get_id()) {
        lock.unlock();
        return call.refuse(908, "another thread began the capture");
    }
    std::unique_ptr<Capture> capture = std::move(stream->capture);
    *graph = nullptr;
    if (capture->invalid) {
        return 901;
    }
    Graph* made = new Graph{&d, std::move(capture->nodes)};
    d.graphs.insert(made);
    *graph = made;
    return 0;
}

SGPT_API cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long flags) {
    Call call("cuGraphInstantiateWithFlags");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    if (flags != 0) {
        return call.refuse(801, "the stand-in does not know flags " + std::to_string(flags));
    }
    Device& d = call.device();
    if (!is_among(d, d.graphs, graph)) {
        return bad_graph(call);
    }
    status = call.unsafe();
    if (status != 0) {
        return status;
    }
    std::lock_guard<std::mutex> guard(d.mutex);
    Graph* made = new Graph(*static_cast<Graph*>(graph));
    d.executables.insert(made);
    *executable = made;
    return 0;
}

SGPT_API cuGraphLaunch(void* executable, void* handle) {
    Call call("cuGraphLaunch");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    Device& d = call.device();
    Stream* stream = d.stream_of(handle);
    if (stream == nullptr) {
        return bad_stream(call);
    }
    if (!is_among(d, d.executables, executable)) {
        return bad_graph(call);
    }
    if (d.is_captured(stream)) {
        return call.refuse(801, "the stand-in does not put graphs into graphs");
    }
    std::vector<Node> nodes = static_cast<Graph*>(executable)->nodes;
    return d.enqueue(stream, [nodes](Stream* on) {
        for (const Node& node : nodes) {
            node(on);
        }
    });
}

SGPT_API cuGraphDestroy(void* graph) {
    Call call("cuGraphDestroy");
    return destroy(call, &Device::graphs, graph);
}

SGPT_API cuGraphExecDestroy(void* executable) {
    Call call("cuGraphExecDestroy");
    return destroy(call, &Device::executables, executable);
}
