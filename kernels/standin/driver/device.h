// Devices, streams and the queue between the host and a device's worker thread.
//
// Each device has one worker thread. Operations are queued per stream; the worker takes one that may run (stream order,
// events, the null stream's rules). If several may run, the order number decides. The worker starts late: when the host
// waits for something, when many operations have accumulated, or after a few milliseconds. So if the program touches
// host memory too early, the memory is still in use.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "../runtime/block.h"
#include "../runtime/memory.h"
#include "../runtime/order.h"

namespace standin {

struct Device;

/// Work of a stream: returns a CUresult, with a description of the problem in `why`.
using Work = std::function<int(std::string& why)>;

struct Operation {
    uint64_t sequence;
    const char* what;
    Work work;
    std::function<bool()> may_start;  // empty: at once
    uint64_t count;                   // among its stream's
    Clock clock;                      // this operation and those ordered before it
    std::string name;
};

struct Stream {
    Device* device;
    bool non_blocking;
    unsigned index;
    std::deque<Operation> queue;
    bool busy = false;
    Clock clock;  // of its last operation
};

/// The state of an event, which outlives it if it is destroyed while operations wait for it.
struct EventState {
    std::atomic<uint64_t> completed{0};
    std::chrono::steady_clock::time_point time;
    Clock clock;  // at the last record
};

struct Event {
    Device* device;
    bool timed;
    uint64_t recorded = 0;
    std::shared_ptr<EventState> state = std::make_shared<EventState>();
};

struct Module {
    Device* device;
    std::string image;     // machine code of the chosen architecture, if it can be read
    std::string only_file; // if not empty, only this source file's kernels
    std::map<std::string, struct Function*> functions;
};

struct Function {
    Module* module;
    const Kernel* kernel;
    unsigned dynamic_shared = 48 * 1024;
};

/// A finished operation, for detecting races between streams.
struct Finished {
    unsigned launch;
    unsigned stream;
    uint64_t count;
    std::string name;
};

struct HostBlock {
    size_t size;
    Device* device;
};

struct Device {
    int ordinal = 0;
    std::mutex mutex;
    std::condition_variable wake;
    std::condition_variable progress;
    int references = 0;
    bool alive = false;
    bool stopping = false;
    int sticky = 0;            // of the context
    std::atomic<int> lost{0};  // of the process: no later context is without it
    int waiting_hosts = 0;
    uint64_t sequence = 0;
    size_t queued = 0;
    std::chrono::steady_clock::time_point oldest;
    Stream null_stream{this, false, 0, {}, false, {}};
    unsigned stream_count = 1;
    Clock host;  // operations that the host has waited for
    uint64_t operations = 0;
    std::deque<Finished> finished;
    Order order;
    std::set<Stream*> streams;
    std::set<Event*> events;
    std::set<Module*> modules;
    std::map<uintptr_t, HostBlock> pinned;
    std::multimap<uintptr_t, uintptr_t> pending_downloads;  // host ranges that queued copies will write
    uint64_t random = 1;
    Block block;
    std::thread worker;

    /// Creates the context: options, memory, worker.
    int open();
    /// Destroys the context; resources that were not released are reported and dropped.
    void close(const char* how);

    /// Makes every later call return a code. The caller holds the mutex.
    void fail(int code);

    void enqueue(Stream* stream, const char* what, Work work, std::function<bool()> may_start = {},
                 const char* name = nullptr);
    /// Orders later operations of the stream (null: of the host) after those in the event's clock.
    void follow(Stream* stream, const EventState& event);
    /// Waits until the stream (null: every stream) is empty. Returns 0 or the sticky error.
    int drain(Stream* stream);
    /// Waits until `done`, which is evaluated under the mutex.
    int wait_until(const std::function<bool()>& done);
    Stream* stream_of(void* handle);
    bool is_pinned(uintptr_t address, size_t size);

private:
    void run();
    Stream* choose();
    void begin_order(const Operation& operation, unsigned stream);
    bool eligible(const Stream* stream) const;
    void report_leaks(const char* how);
    std::vector<Stream*> all_streams();
};

int device_count();
Device& device_at(int ordinal);

/// The device whose primary context is current on this thread, or null.
Device*& current_device();

/// One call of the driver's interface: checks initialisation, injected failures, the context and its error.
class Call {
public:
    explicit Call(const char* name) : name_(name) {}
    /// Returns 0, or a status that the call must return at once.
    int begin(bool needs_context = true);
    Device& device() const { return *device_; }
    /// Reports what is wrong with the call; returns the code.
    int refuse(int code, const std::string& what) const;

private:
    const char* name_;
    Device* device_ = nullptr;
};

/// Whether only another process can use the device again after a status, as cuda.h says of CUresult.
bool ends_process(int code);

/// Called by cuInit.
void set_initialized();

/// Kernels by name.
const Kernel* find_kernel(const std::string& name);
/// Whether a source file (folders aside) has kernels here.
bool has_kernels_of(const std::string& file);
std::string base_name(const std::string& path);

struct Capability {
    int number;  // 10 * major + minor
    unsigned shared_optin;
    unsigned shared_per_multiprocessor;
    int multiprocessors;
    int threads_per_multiprocessor;
};
const Capability& capability_of(int number);

}  // namespace standin
