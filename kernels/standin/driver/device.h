// Devices, streams and the queue between the host and a device's worker thread.
//
// Each device has one worker thread. Operations are queued per stream; the worker takes one that may run (stream order,
// events, the null stream's rules). Nothing runs because time passes: an operation runs when the host waits for it or
// for something that comes after it, or, with some order numbers, because its stream is early. So a program that
// touches memory without waiting finds it in use, and finds nothing in it that it did not wait for.
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
struct Stream;

/// Work of a stream: returns a CUresult, with a description of the problem in `why`.
using Work = std::function<int(std::string& why)>;

/// Host memory that a queued copy will read or write.
struct HostRange {
    uintptr_t first = 0;
    uintptr_t end = 0;
    bool write = false;
};

struct Operation {
    uint64_t sequence;
    const char* what;
    Work work;
    std::function<bool()> may_start;  // empty: at once
    uint64_t count;                   // among its stream's
    Clock clock;                      // this operation and those ordered before it
    std::string name;
    HostRange host;
};

/// Queued copies that use some host memory.
struct HostUses {
    bool any = false;
    bool written = false;
    std::string race;  // description of one that nothing orders before the next operation, if they conflict
};

/// Queues an operation of a graph on a stream, with the device's mutex held.
using Node = std::function<void(Stream*)>;

/// Operations that a stream was given while it was captured, in order.
struct Graph {
    Device* device;
    std::vector<Node> nodes;
};

/// CUstreamCaptureMode.
enum class CaptureMode { global, thread_local_, relaxed };

/// What a stream is given instead of running it.
struct Capture {
    CaptureMode mode;
    std::thread::id thread;
    bool invalid = false;
    std::vector<Node> nodes;
};

struct Stream {
    Device* device;
    bool non_blocking;
    unsigned index;
    std::deque<Operation> queue;
    bool busy = false;
    Clock clock;  // of its last operation
    uint64_t done = 0;  // operations that have finished
    unsigned asked = 0;  // queries that found it unfinished
    std::unique_ptr<Capture> capture = nullptr;
};

/// One record of an event. Who waits for the event waits for its last record, whatever becomes of the event later.
struct Record {
    std::atomic<bool> done{false};
    std::chrono::steady_clock::time_point time;
    Clock clock;  // of the operation that sets it
};

struct Event {
    Device* device;
    bool timed;
    std::shared_ptr<Record> last;  // null: never recorded
    unsigned asked = 0;            // queries that found the last record unfinished
    Stream* captured = nullptr;    // the stream that was captured at the last record
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
    uint64_t sequence = 0;
    size_t queued = 0;
    Stream null_stream{this, false, 0, {}, false, {}, 0, 0};
    unsigned stream_count = 1;
    Clock host;      // operations that the host has waited for
    Clock demanded;  // operations that the host waits for, or has waited for
    uint64_t operations = 0;
    std::deque<Finished> finished;
    Order order;
    std::set<Stream*> streams;
    std::set<Event*> events;
    std::set<Module*> modules;
    std::set<Graph*> graphs;
    std::set<Graph*> executables;
    std::map<uintptr_t, HostBlock> pinned;
    uint64_t random = 1;
    Block block;
    std::thread worker;

    /// Creates the context: options, memory, worker.
    int open();
    /// Destroys the context; resources that were not released are reported and dropped.
    void close(const char* how);

    /// Makes every later call return a code. The caller holds the mutex.
    void fail(int code);

    /// Whether an operation of this kind is not done.
    bool is_queued(const char* what);
    /// Queues an operation, or puts it into the graph that the stream is captured for. Returns 0 or a CUresult.
    int enqueue(Stream* stream, const char* what, Work work, std::function<bool()> may_start = {},
                const char* name = nullptr);
    /// As `enqueue`, of something that is made anew whenever a graph is launched.
    int enqueue(Stream* stream, const Node& node);
    /// Queues at once, with the mutex held.
    void push(Stream* stream, const char* what, Work work, std::function<bool()> may_start = {},
              const char* name = nullptr, HostRange host_range = {});
    /// Queues a record of the event. Returns 0 or a CUresult.
    int record(Event* event, Stream* stream);
    /// Ends a capture for good: it can no longer become a graph. With the mutex held.
    static void invalidate(Stream* stream);
    /// Ends all captures of the device's streams for good. Returns whether there were any.
    bool invalidate_captures();
    /// As `invalidate_captures`, those that forbid unsafe calls on this thread.
    bool invalidate_captures_that_forbid();
    /// The event's last record, or null.
    std::shared_ptr<Record> last_record(const Event* event);
    /// Orders later operations of the stream after the record.
    void follow(Stream* stream, const Record& record);
    /// Lets the worker run the operations of a clock.
    void demand(const Clock& clock);
    /// Waits for the operations of a clock; later operations are ordered after them. Returns 0 or the sticky error.
    int wait_for(const Clock& clock);
    /// Waits for everything queued so far on the stream (null: on every stream). Returns 0 or the sticky error.
    int drain(Stream* stream);
    /// Whether the record is done, for a host that asks without waiting; those that ask often get their answer.
    bool poll(Event* event);
    /// As `poll`, for everything on the stream.
    bool poll(Stream* stream);
    /// Queued copies that use the range, seen from the next operation of the stream (null: from the host).
    HostUses host_uses(Stream* stream, HostRange range);
    /// As `host_uses`, with the mutex held.
    HostUses host_uses_now(Stream* stream, HostRange range);
    Stream* stream_of(void* handle);
    bool is_pinned(uintptr_t address, size_t size);
    bool is_captured(const Stream* stream);
    bool has_executables();

private:
    void run();
    void make_room();
    Stream* choose();
    void begin_order(const Operation& operation, unsigned stream);
    bool eligible(const Stream* stream) const;
    bool early(const Stream* stream) const;
    bool is_demanded(const Stream* stream) const;
    bool finished_all(const Clock& clock);
    Clock clock_before(const Stream* stream) const;
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
    /// Whether a test wants this wait or record left out.
    bool left_out() const;
    /// What the driver calls potentially unsafe: forbidden to a thread that captures, and to all while a capture of the
    /// global mode lasts. Returns 0, or the status that the call must return at once.
    int unsafe() const;

private:
    const char* name_;
    Device* device_ = nullptr;
};

/// Whether only another process can use the device again after a status, as cuda.h says of CUresult.
bool ends_process(int code);

/// The test's decision in `left_out`, or null.
void set_order_hook(int (*hook)(const char*));

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
