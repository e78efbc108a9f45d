// Contexts, queues and the worker thread.
#include "device.h"

#include <cstring>
#include <pthread.h>
#include <signal.h>

#include <algorithm>

#include "../runtime/report.h"

namespace standin {

namespace {

constexpr size_t many_operations = 256;
constexpr unsigned many_queries = 64;

}  // namespace

Device& device_at(int ordinal) {
    // Never destroyed: threads and late calls may still use it at the end of the process.
    static Device* const devices = [] {
        Device* made = new Device[max_devices];
        for (int i = 0; i < max_devices; i++) {
            made[i].ordinal = i;
        }
        return made;
    }();
    return devices[ordinal];
}

int device_count() { return std::min(std::max(options().devices, 0), max_devices); }

Device*& current_device() {
    static thread_local Device* device = nullptr;
    return device;
}

void Device::fail(int code) {
    sticky = code;
    if (ends_process(code)) {
        lost = code;
    }
}

int Device::open() {
    read_options();
    Options o = options();
    if (o.recover) {
        lost = 0;
    }
    if (lost != 0) {
        return lost;
    }
    if (!memory_of(ordinal).open(ordinal, o.memory)) {
        report("this system does not give the address ranges that the stand-in needs for device memory");
        return 2;
    }
    sticky = 0;
    stopping = false;
    alive = true;
    random = o.order * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du;
    // This thread must not handle signals of the host program.
    sigset_t every;
    sigset_t before;
    sigfillset(&every);
    for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) {
        sigdelset(&every, fault);
    }
    pthread_sigmask(SIG_SETMASK, &every, &before);
    worker = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return 0;
}

std::vector<Stream*> Device::all_streams() {
    std::vector<Stream*> all = {&null_stream};
    all.insert(all.end(), streams.begin(), streams.end());
    return all;
}

void Device::report_leaks(const char* how) {
    std::string text;
    for (const Allocation& a : memory_of(ordinal).live()) {
        text += "\n  allocation #" + std::to_string(a.number) + " of " + std::to_string(a.size) + " bytes";
    }
    for (const auto& entry : pinned) {
        text += "\n  pinned host memory of " + std::to_string(entry.second.size) + " bytes";
    }
    if (!streams.empty()) {
        text += "\n  " + std::to_string(streams.size()) + " streams";
    }
    if (!events.empty()) {
        text += "\n  " + std::to_string(events.size()) + " events";
    }
    if (!modules.empty()) {
        text += "\n  " + std::to_string(modules.size()) + " modules";
    }
    if (!graphs.empty()) {
        text += "\n  " + std::to_string(graphs.size()) + " graphs";
    }
    if (!executables.empty()) {
        text += "\n  " + std::to_string(executables.size()) + " executable graphs";
    }
    if (!text.empty()) {
        report("leaked on device " + std::to_string(ordinal) + " at " + how + ":" + text);
    }
}

void Device::close(const char* how) {
    drain(nullptr);
    {
        std::lock_guard<std::mutex> guard(mutex);
        stopping = true;
        wake.notify_all();
    }
    worker.join();
    std::lock_guard<std::mutex> guard(mutex);
    if (sticky == 0) {
        report_leaks(how);  // after an error nothing can be released
    }
    memory_of(ordinal).release_all();
    for (auto& entry : pinned) {
        free(reinterpret_cast<void*>(entry.first));
    }
    pinned.clear();
    for (Stream* stream : streams) {
        delete stream;
    }
    for (Event* event : events) {
        delete event;
    }
    for (Module* module : modules) {
        for (auto& entry : module->functions) {
            delete entry.second;
        }
        delete module;
    }
    for (Graph* graph : graphs) {
        delete graph;
    }
    for (Graph* executable : executables) {
        delete executable;
    }
    streams.clear();
    events.clear();
    modules.clear();
    graphs.clear();
    executables.clear();
    finished.clear();
    host = Clock();
    demanded = Clock();
    null_stream.clock = Clock();
    null_stream.done = 0;
    stream_count = 1;
    null_stream.queue.clear();
    queued = 0;
    sticky = 0;
    alive = false;
}

/// What is ordered before the stream's next operation.
Clock Device::clock_before(const Stream* stream) const {
    Clock clock = stream->clock;
    clock.join(host);
    if (stream == &null_stream) {
        for (const Stream* other : streams) {
            if (!other->non_blocking) {
                clock.join(other->clock);
            }
        }
    } else if (!stream->non_blocking) {
        clock.join(null_stream.clock);
    }
    return clock;
}

bool Device::is_queued(const char* what) {
    std::lock_guard<std::mutex> guard(mutex);
    for (Stream* stream : all_streams()) {
        for (const Operation& operation : stream->queue) {
            if (strcmp(operation.what, what) == 0) {
                return true;
            }
        }
    }
    return false;
}

int Device::enqueue(Stream* stream, const char* what, Work work, std::function<bool()> may_start, const char* name) {
    return enqueue(stream, [this, what, work = std::move(work), may_start = std::move(may_start), name](Stream* on) {
        push(on, what, work, may_start, name);
    });
}

int Device::enqueue(Stream* stream, const Node& node) {
    std::lock_guard<std::mutex> guard(mutex);
    if (stream == &null_stream) {
        // It would wait for streams that do not run.
        bool implicit = false;
        for (Stream* other : streams) {
            if (other->capture != nullptr && !other->non_blocking) {
                invalidate(other);
                implicit = true;
            }
        }
        if (implicit) {
            report("the null stream waits for a stream that is captured");
            return 906;
        }
    }
    if (stream->capture == nullptr) {
        node(stream);
        return 0;
    }
    if (stream->capture->invalid) {
        return 901;
    }
    stream->capture->nodes.push_back(node);
    return 0;
}

void Device::invalidate(Stream* stream) {
    stream->capture->invalid = true;
    stream->capture->nodes.clear();
}

bool Device::invalidate_captures() {
    std::lock_guard<std::mutex> guard(mutex);
    bool any = false;
    for (Stream* stream : streams) {
        if (stream->capture != nullptr) {
            invalidate(stream);
            any = true;
        }
    }
    return any;
}

bool Device::invalidate_captures_that_forbid() {
    std::lock_guard<std::mutex> guard(mutex);
    bool any = false;
    for (Stream* stream : streams) {
        const Capture* capture = stream->capture.get();
        if (capture != nullptr &&
            (capture->mode == CaptureMode::global ||
             (capture->mode == CaptureMode::thread_local_ && capture->thread == std::this_thread::get_id()))) {
            invalidate(stream);
            any = true;
        }
    }
    return any;
}

void Device::push(Stream* stream, const char* what, Work work, std::function<bool()> may_start, const char* name,
                  HostRange host_range) {
    stream->clock = clock_before(stream);
    uint64_t count = stream->clock.tick(stream->index);
    stream->queue.push_back({++sequence, what, std::move(work), std::move(may_start), count, stream->clock,
                             name == nullptr ? what : name, host_range});
    queued++;
    wake.notify_all();
}

int Device::record(Event* event, Stream* stream) {
    auto made = std::make_shared<Record>();
    Work work = [made](std::string&) {
        made->time = std::chrono::steady_clock::now();
        made->done = true;
        return 0;
    };
    std::lock_guard<std::mutex> guard(mutex);
    if (stream->capture != nullptr) {
        // Marks a place within the graph; it is no operation of it.
        event->captured = stream;
        return stream->capture->invalid ? 901 : 0;
    }
    push(stream, "cuEventRecord", std::move(work));
    made->clock = stream->clock;
    event->last = made;
    event->asked = 0;
    event->captured = nullptr;
    return 0;
}

std::shared_ptr<Record> Device::last_record(const Event* event) {
    std::lock_guard<std::mutex> guard(mutex);
    return event->last;
}

void Device::follow(Stream* stream, const Record& record) {
    std::lock_guard<std::mutex> guard(mutex);
    stream->clock.join(record.clock);
}

void Device::demand(const Clock& clock) {
    std::lock_guard<std::mutex> guard(mutex);
    demanded.join(clock);
    wake.notify_all();
}

bool Device::finished_all(const Clock& clock) {
    std::vector<Stream*> all = all_streams();
    return std::all_of(all.begin(), all.end(), [&](const Stream* s) { return s->done >= clock.at(s->index); });
}

int Device::wait_for(const Clock& clock) {
    std::unique_lock<std::mutex> lock(mutex);
    demanded.join(clock);
    wake.notify_all();
    progress.wait(lock, [&] { return sticky != 0 || stopping || finished_all(clock); });
    host.join(clock);
    return sticky;
}

int Device::drain(Stream* stream) {
    Clock clock;
    {
        std::lock_guard<std::mutex> guard(mutex);
        for (const Stream* each : stream != nullptr ? std::vector<Stream*>{stream} : all_streams()) {
            clock.join(each->clock);
        }
    }
    return wait_for(clock);
}

bool Device::poll(Event* event) {
    std::lock_guard<std::mutex> guard(mutex);
    if (event->last == nullptr) {
        return true;
    }
    if (event->last->done) {
        host.join(event->last->clock);
        return true;
    }
    if (++event->asked >= many_queries) {
        demanded.join(event->last->clock);
        wake.notify_all();
    }
    return false;
}

bool Device::poll(Stream* stream) {
    std::lock_guard<std::mutex> guard(mutex);
    if (stream->queue.empty()) {
        stream->asked = 0;
        host.join(stream->clock);
        return true;
    }
    if (++stream->asked >= many_queries) {
        demanded.join(stream->clock);
        wake.notify_all();
    }
    return false;
}

HostUses Device::host_uses(Stream* stream, HostRange range) {
    std::lock_guard<std::mutex> guard(mutex);
    return host_uses_now(stream, range);
}

HostUses Device::host_uses_now(Stream* stream, HostRange range) {
    HostUses uses;
    Clock before = stream == nullptr ? host : clock_before(stream);
    for (const Stream* each : all_streams()) {
        for (const Operation& operation : each->queue) {
            const HostRange& other = operation.host;
            if (other.first >= range.end || range.first >= other.end) {
                continue;
            }
            uses.any = true;
            uses.written = uses.written || other.write;
            if ((other.write || range.write) && !before.covers(each->index, operation.count)) {
                uses.race = "host memory that a queued " + operation.name + (other.write ? " writes" : " reads") +
                            ", with no event and no wait of the host between";
            }
        }
    }
    return uses;
}

/// Numbers the operation and finds finished operations that are not ordered before it.
void Device::begin_order(const Operation& operation, unsigned stream) {
    constexpr size_t remembered = 4096;
    order.any = false;
    order.unordered.reset();
    order.names.clear();
    order.launch = operations++ % last_launch + 1;
    if (order.launch == 1) {
        clear_cells(ordinal);
        finished.clear();
    }
    std::vector<Stream*> all = all_streams();
    auto before_everything = [&](const Finished& f) {
        return host.covers(f.stream, f.count) && std::all_of(all.begin(), all.end(), [&](const Stream* s) {
                   return s->queue.empty() || s->queue.front().clock.covers(f.stream, f.count);
               });
    };
    while (!finished.empty() && (finished.size() > remembered || before_everything(finished.front()))) {
        finished.pop_front();
    }
    for (const Finished& other : finished) {
        if (!operation.clock.covers(other.stream, other.count)) {
            order.any = true;
            order.unordered.set(other.launch);
            order.names[other.launch] = other.name;
        }
    }
    finished.push_back({static_cast<unsigned>(order.launch), stream, operation.count, operation.name});
}

Stream* Device::stream_of(void* handle) {
    if (handle == nullptr) {
        return &null_stream;
    }
    std::lock_guard<std::mutex> guard(mutex);
    auto found = streams.find(static_cast<Stream*>(handle));
    return found == streams.end() ? nullptr : *found;
}

bool Device::has_executables() {
    std::lock_guard<std::mutex> guard(mutex);
    return !executables.empty();
}

bool Device::is_captured(const Stream* stream) {
    std::lock_guard<std::mutex> guard(mutex);
    return stream->capture != nullptr;
}

bool Device::is_pinned(uintptr_t address, size_t size) {
    for (int i = 0; i < device_count(); i++) {
        Device& owner = device_at(i);
        std::lock_guard<std::mutex> guard(owner.mutex);
        auto after = owner.pinned.upper_bound(address);
        if (after == owner.pinned.begin()) {
            continue;
        }
        auto block_found = std::prev(after);
        size_t offset = address - block_found->first;
        if (offset < block_found->second.size && size <= block_found->second.size - offset) {
            return true;
        }
    }
    return false;
}

/// Whether the stream's next operation may run: stream order, and the null stream and blocking streams wait for each
/// other's earlier operations.
bool Device::eligible(const Stream* stream) const {
    if (stream->queue.empty() || stream->busy) {
        return false;
    }
    const Operation& head = stream->queue.front();
    if (head.may_start && !head.may_start()) {
        return false;
    }
    if (stream->non_blocking) {
        return true;
    }
    if (stream != &null_stream) {
        return null_stream.queue.empty() || null_stream.queue.front().sequence > head.sequence;
    }
    return std::all_of(streams.begin(), streams.end(), [&](const Stream* other) {
        return other->non_blocking || other->queue.empty() || other->queue.front().sequence > head.sequence;
    });
}

/// Whether the stream's operations run as soon as they may.
bool Device::early(const Stream* stream) const {
    uint64_t order = options().order;
    return order >= 2 && stream->index > 0 && stream->index <= 64 && ((order - 2) >> (stream->index - 1) & 1) != 0;
}

/// Whether the stream's next operation is waited for.
bool Device::is_demanded(const Stream* stream) const {
    return !stream->queue.empty() && demanded.covers(stream->index, stream->queue.front().count);
}

/// A queue has an end: where it is full, the oldest operation makes room.
void Device::make_room() {
    if (queued <= many_operations) {
        return;
    }
    const Stream* first = nullptr;
    for (const Stream* each : all_streams()) {
        bool older = !each->queue.empty() &&
                     (first == nullptr || each->queue.front().sequence < first->queue.front().sequence);
        first = older ? each : first;
    }
    demanded.join(first->queue.front().clock);
}

Stream* Device::choose() {
    make_room();
    std::vector<Stream*> all = all_streams();
    uint64_t order = options().order;
    bool waited_for = std::any_of(all.begin(), all.end(), [&](const Stream* s) { return is_demanded(s); });
    std::vector<Stream*> able;
    for (Stream* stream : all) {
        bool wanted = is_demanded(stream) || early(stream) || (order == 1 && waited_for);
        if (wanted && eligible(stream)) {
            able.push_back(stream);
        }
    }
    if (able.empty()) {
        return nullptr;
    }
    auto earlier = [](const Stream* a, const Stream* b) {
        return a->queue.front().sequence < b->queue.front().sequence;
    };
    if (order == 0) {
        return *std::min_element(able.begin(), able.end(), earlier);
    }
    if (order == 1) {
        return *std::max_element(able.begin(), able.end(), earlier);
    }
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    std::sort(able.begin(), able.end(), earlier);
    return able[random % able.size()];
}

void Device::run() {
    std::unique_lock<std::mutex> lock(mutex);
    while (!stopping) {
        Stream* stream = sticky == 0 ? choose() : nullptr;
        if (stream == nullptr) {
            std::vector<Stream*> all = all_streams();
            bool blocked = sticky == 0 &&
                           std::any_of(all.begin(), all.end(), [&](const Stream* s) { return is_demanded(s); });
            if (blocked) {
                wake.wait_for(lock, std::chrono::milliseconds(1));  // by an event of another device
            } else {
                wake.wait(lock);
            }
            continue;
        }
        // The operation stays at the head of its queue while it runs, so that others see that it is unfinished.
        stream->busy = true;
        Work work = std::move(stream->queue.front().work);
        const char* what = stream->queue.front().what;
        begin_order(stream->queue.front(), stream->index);
        current_order = &order;
        lock.unlock();
        std::string why;
        int result = work(why);
        work = nullptr;
        if (result != 0) {
            report(std::string(what) + ": " + why);
        }
        lock.lock();
        stream->busy = false;
        stream->done = stream->queue.front().count;
        stream->queue.pop_front();
        queued--;
        if (result != 0 && !options().go_on) {
            fail(result);
            for (Stream* each : all_streams()) {
                each->queue.clear();
            }
            queued = 0;
        }
        progress.notify_all();
    }
}

}  // namespace standin
