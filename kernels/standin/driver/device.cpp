// Contexts, queues and the worker thread.
#include "device.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>

#include "../runtime/report.h"

namespace standin {

namespace {

constexpr size_t many_operations = 256;
constexpr auto patience = std::chrono::milliseconds(5);

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
    streams.clear();
    events.clear();
    modules.clear();
    pending_downloads.clear();
    finished.clear();
    host = Clock();
    null_stream.clock = Clock();
    stream_count = 1;
    null_stream.queue.clear();
    queued = 0;
    sticky = 0;
    alive = false;
}

void Device::follow(Stream* stream, const EventState& event) {
    std::lock_guard<std::mutex> guard(mutex);
    (stream == nullptr ? host : stream->clock).join(event.clock);
}

void Device::enqueue(Stream* stream, const char* what, Work work, std::function<bool()> may_start, const char* name) {
    std::lock_guard<std::mutex> guard(mutex);
    stream->clock.join(host);
    if (stream == &null_stream) {
        for (const Stream* other : streams) {
            if (!other->non_blocking) {
                stream->clock.join(other->clock);
            }
        }
    } else if (!stream->non_blocking) {
        stream->clock.join(null_stream.clock);
    }
    uint64_t count = stream->clock.tick(stream->index);
    if (queued++ == 0) {
        oldest = std::chrono::steady_clock::now();
    }
    stream->queue.push_back({++sequence, what, std::move(work), std::move(may_start), count, stream->clock,
                             name == nullptr ? what : name});
    if (queued == 1 || queued == many_operations) {
        wake.notify_all();
    }
}

int Device::wait_until(const std::function<bool()>& done) {
    std::unique_lock<std::mutex> lock(mutex);
    waiting_hosts++;
    wake.notify_all();
    progress.wait(lock, [&] { return sticky != 0 || stopping || done(); });
    waiting_hosts--;
    return sticky;
}

int Device::drain(Stream* stream) {
    int status = wait_until([this, stream] {
        auto idle = [](const Stream* s) { return s->queue.empty() && !s->busy; };
        if (stream != nullptr) {
            return idle(stream);
        }
        std::vector<Stream*> all = all_streams();
        return std::all_of(all.begin(), all.end(), idle);
    });
    std::lock_guard<std::mutex> guard(mutex);
    for (const Stream* each : stream != nullptr ? std::vector<Stream*>{stream} : all_streams()) {
        host.join(each->clock);
    }
    return status;
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
    while (!finished.empty() &&
           (finished.size() > remembered || host.covers(finished.front().stream, finished.front().count))) {
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

Stream* Device::choose() {
    std::vector<Stream*> able;
    for (Stream* stream : all_streams()) {
        if (eligible(stream)) {
            able.push_back(stream);
        }
    }
    if (able.empty()) {
        return nullptr;
    }
    auto earlier = [](const Stream* a, const Stream* b) {
        return a->queue.front().sequence < b->queue.front().sequence;
    };
    uint64_t order = options().order;
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
        bool hurry = waiting_hosts > 0 || queued >= many_operations ||
                     (queued > 0 && std::chrono::steady_clock::now() - oldest >= patience);
        Stream* stream = hurry && sticky == 0 ? choose() : nullptr;
        if (stream == nullptr) {
            if (queued == 0 || sticky != 0) {
                wake.wait(lock);
            } else if (hurry) {
                wake.wait_for(lock, std::chrono::milliseconds(1));  // for an event of another device
            } else {
                wake.wait_until(lock, oldest + patience);
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
        stream->queue.pop_front();
        queued--;
        if (result != 0) {
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
