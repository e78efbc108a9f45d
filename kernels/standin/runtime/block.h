// One running block: its threads as fibers, its clock, its warps.
//
// The order between threads of a block is tracked by a clock that ticks at every completed barrier. An access by
// another thread at time t is ordered before a thread's current access if both have since passed a common barrier with
// a time greater than t.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../emulation.h"
#include "fiber.h"

namespace standin {

struct Block;
struct Order;
struct Warp;

// Layout of a cell's word: launch 16 bits, block 20, thread 10, time 16, kind 2. Launch 0 means nobody.
constexpr int launch_shift = 48;
constexpr int block_shift = 28;
constexpr int thread_shift = 18;
constexpr int warp_shift = thread_shift + 5;
constexpr int time_shift = 2;
constexpr uint64_t last_launch = 0xffff;
constexpr uint64_t last_time = 0xffff;
constexpr uint64_t time_mask = last_time << time_shift;
constexpr uint64_t kind_mask = 3;
constexpr uint64_t kind_plain = 0;   // writer: plain; reader: one thread
constexpr uint64_t kind_atomic = 1;  // writer: one thread, atomically; reader: several lanes of one warp
constexpr uint64_t kind_block = 2;   // several threads of the block (writers: atomically)
constexpr uint64_t kind_grid = 3;    // several blocks (writers: atomically)

struct AsyncCopy {
    uintptr_t to;
    uintptr_t from;
    int size;
    int source_size;
    uint64_t group;
    const void* place;
};

struct Fiber {
    uint64_t key;         // launch, block and thread in their places
    uint64_t shared_key;  // the same for shared memory: number of the block among all run, 0, thread
    uintptr_t slot;       // the device's part of the arena
    uintptr_t shared;     // start of the shared memory
    uint64_t warp_time;  // time (in place) of the last full warp barrier
    uint64_t part_time;  // and of the last one of a part of the warp
    uint32_t part_mask;
    unsigned index;
    unsigned lane;
    uint3 position;
    Block* block;
    Warp* warp;
    void* stack_pointer;
    char* stack;
    const char* waiting_for;  // description for reports, or null
    unsigned waiting_mask;    // 0 at __syncthreads
    unsigned site;
    bool started;
    bool finished;
    uint64_t groups;  // committed groups of asynchronous copies
    std::vector<AsyncCopy> copies;
};

/// The operands of one lane in a matrix operation.
struct TensorLane {
    void (*work)(TensorLane* const* lanes);
    void* result;
    const void* a;
    const void* b;
    const void* c;
    int count;
    bool transposed;
};

/// Lanes that have arrived at a warp-wide operation.
struct Meeting {
    unsigned mask;
    unsigned arrived;
    int kind;
    void* data[32];
};

struct Warp {
    unsigned present;  // lanes that exist
    unsigned exited;
    int meetings;
    Meeting meeting[32];
};

struct LaunchPlan {
    const Kernel* kernel;
    uint3 grid;
    uint3 block;
    unsigned shared;
    uint64_t order;
    int device;
    int capability;
    std::vector<uint64_t> arguments;
};

/// Runs blocks on the calling host thread.
struct Block {
    const LaunchPlan* plan = nullptr;
    std::vector<void*> argument_pointers;
    uint3 position{};
    uint64_t launch = 0;
    const Order* order = nullptr;
    uint64_t blocks_run = 0;
    unsigned count = 0;
    uint64_t now = 0;           // in place
    uint64_t barrier_time = 0;  // in place
    uintptr_t shared = 0;
    std::vector<Fiber> fibers;
    std::vector<Warp> warps;
    std::vector<Fiber*> ready;
    size_t ready_first = 0;
    size_t ready_size = 0;
    uint64_t random = 1;
    unsigned waiting = 0;
    unsigned exited = 0;
    unsigned barrier_sum = 0;
    unsigned barrier_site = 0;
    int barrier_result = 0;
    void* scheduler = nullptr;
    Stacks stacks;
    int error = 0;
    std::string message;

    /// Runs the whole grid. Returns 0, or a CUresult with the report in `message`.
    int run(const LaunchPlan& plan, const Order& order);

    void make_ready(Fiber* fiber);
    Fiber* next_ready();
    /// Suspends the fiber; returns when it is ready again.
    void wait(Fiber* self);
    /// Advances the clock by one completed barrier. Returns the new time, shifted into place.
    uint64_t tick();
    uint64_t next_random() {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        return random;
    }

private:
    void prepare();
    void start_block(uint64_t sequence);
    void run_block();
    void stuck();
};

/// The running fiber of this host thread, or null.
extern __thread Fiber* current __attribute__((tls_model("initial-exec")));

/// Reports and ends the launch with this CUresult. Does not return.
[[noreturn]] void fail(Fiber* self, int error, const std::string& what, const void* place);
void after_exit(Fiber* self);
/// Waits for all 32 lanes; the last one runs the work.
void meet_for_tensor(bool matrix_load, int variant, TensorLane* data, const void* place);
bool in_own_image(const void* address);

/// Checks of one access by the running thread, as the compiler's calls make them.
void checked_read(const void* address, size_t size, const void* place);
void checked_write(const void* address, size_t size, const void* place);
void checked_read16(const void* address, const void* place);
void checked_write16(const void* address, const void* place);
/// Describes a device address for reports.
std::string describe_place(uintptr_t address);
/// Completes the asynchronous copies of the groups before this one.
void finish_copies(Fiber* self, uint64_t before_group);

constexpr int error_illegal_address = 700;
constexpr int error_illegal_instruction = 715;
constexpr int error_misaligned_address = 716;
constexpr int error_launch_failed = 719;

}  // namespace standin
