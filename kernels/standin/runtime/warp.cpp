// Barriers, votes, shuffles: all operations that synchronise threads.
#include <algorithm>
#include <cstdio>

#include "block.h"

namespace standin {

unsigned thread_x() { return current->position.x; }
unsigned thread_y() { return current->position.y; }
unsigned thread_z() { return current->position.z; }
unsigned block_x() { return current->block->position.x; }
unsigned block_y() { return current->block->position.y; }
unsigned block_z() { return current->block->position.z; }
unsigned block_size_x() { return current->block->plan->block.x; }
unsigned block_size_y() { return current->block->plan->block.y; }
unsigned block_size_z() { return current->block->plan->block.z; }
unsigned grid_size_x() { return current->block->plan->grid.x; }
unsigned grid_size_y() { return current->block->plan->grid.y; }
unsigned grid_size_z() { return current->block->plan->grid.z; }
unsigned lane() { return current->lane; }
unsigned char* dynamic_shared() { return reinterpret_cast<unsigned char*>(current->block->shared); }
unsigned dynamic_shared_size() { return current->block->plan->shared; }
int compute_capability() { return current->block->plan->capability; }

void fence() {}
void trap() { fail(current, error_illegal_instruction, "__trap()", __builtin_return_address(0)); }

int barrier(unsigned site, Combine combine, int predicate) {
    Fiber* self = current;
    Block* block = self->block;
    if (block->waiting > 0 && block->barrier_site != site) {
        fail(self, error_launch_failed,
             "divergent __syncthreads: this thread is at line " + std::to_string(site) + ", others wait at line " +
                 std::to_string(block->barrier_site),
             __builtin_return_address(0));
    }
    block->waiting++;
    block->barrier_site = site;
    block->barrier_sum += static_cast<unsigned>(predicate);
    self->waiting_for = "__syncthreads";
    self->waiting_mask = 0;
    if (block->waiting < block->count) {
        block->wait(self);
        return block->barrier_result;
    }
    unsigned sum = block->barrier_sum;
    int result = static_cast<int>(sum);
    if (combine != Combine::count) {
        result = combine == Combine::all ? sum == block->count : sum != 0;
    }
    block->barrier_result = result;
    block->waiting = 0;
    block->barrier_sum = 0;
    block->barrier_time = std::max(block->tick(), block->barrier_time);
    bool downwards = (block->plan->order & 1) != 0;
    bool mixed = block->plan->order > 1;
    for (unsigned i = 0; i < block->count; i++) {
        Fiber& other = block->fibers[downwards ? block->count - 1 - i : i];
        other.waiting_for = nullptr;
        if (&other != self || mixed) {
            block->make_ready(&other);
        }
    }
    if (mixed) {
        block->wait(self);
    }
    return result;
}

namespace {

enum Kind { kind_syncwarp, kind_ballot, kind_shuffle, kind_reduce, kind_ldmatrix, kind_mma };
const char* const kind_names[] = {"__syncwarp", "a vote", "a shuffle", "a reduction", "ldmatrix", "mma.sync"};
constexpr int variants = 64;

using Work = void (*)(Block*, Warp*, Meeting*);

Fiber* first_lane(Block* block, Warp* warp) {
    return &block->fibers[static_cast<size_t>(warp - block->warps.data()) * 32];
}

void complete(Block* block, Warp* warp, Meeting* meeting, Work work, Fiber* self) {
    Meeting done = *meeting;
    *meeting = warp->meeting[--warp->meetings];
    work(block, warp, &done);
    for (unsigned left = done.arrived; left != 0; left &= left - 1) {
        Fiber* other = first_lane(block, warp) + __builtin_ctz(left);
        other->waiting_for = nullptr;
        if (other != self) {
            block->make_ready(other);
        }
    }
}

/// Joins an operation of the lanes in `mask`; returns after `work` has run with the data of all lanes.
void meet(Kind kind, int variant, unsigned mask, void* data, Work work, const void* place) {
    Fiber* self = current;
    Warp* warp = self->warp;
    unsigned bit = 1u << self->lane;
    if ((mask & bit) == 0) {
        char text[100];
        snprintf(text, sizeof text, "%s with mask 0x%08x, which lacks the calling lane %u", kind_names[kind], mask,
                 self->lane);
        fail(self, error_launch_failed, text, place);
    }
    int code = kind * variants + variant;
    Meeting* meeting = nullptr;
    for (int i = 0; i < warp->meetings && meeting == nullptr; i++) {
        Meeting& candidate = warp->meeting[i];
        if (candidate.mask == mask && candidate.kind == code) {
            meeting = &candidate;
        }
    }
    if (meeting == nullptr) {
        meeting = &warp->meeting[warp->meetings++];
        meeting->mask = mask;
        meeting->kind = code;
        meeting->arrived = 0;
    }
    meeting->arrived |= bit;
    meeting->data[self->lane] = data;
    if (meeting->arrived == (mask & warp->present & ~warp->exited)) {
        complete(self->block, warp, meeting, work, self);
        return;
    }
    self->waiting_for = kind_names[kind];
    self->waiting_mask = mask;
    self->block->wait(self);
}

void syncwarp_work(Block* block, Warp* warp, Meeting* meeting) {
    uint64_t time = block->tick();
    bool full = meeting->arrived == (warp->present & ~warp->exited);
    for (unsigned left = meeting->arrived; left != 0; left &= left - 1) {
        Fiber* f = first_lane(block, warp) + __builtin_ctz(left);
        if (full) {
            f->warp_time = time;
        } else {
            f->part_time = time;
            f->part_mask = meeting->arrived;
        }
    }
}

struct BallotData {
    int predicate;
    unsigned result;
};

void ballot_work(Block*, Warp*, Meeting* meeting) {
    unsigned result = 0;
    for (unsigned left = meeting->arrived; left != 0; left &= left - 1) {
        int lane = __builtin_ctz(left);
        result |= static_cast<BallotData*>(meeting->data[lane])->predicate != 0 ? 1u << lane : 0;
    }
    for (unsigned left = meeting->arrived; left != 0; left &= left - 1) {
        static_cast<BallotData*>(meeting->data[__builtin_ctz(left)])->result = result;
    }
}

struct ShuffleData {
    Shuffle kind;
    uint64_t value;
    int operand;
    int width;
    uint64_t result;
    int absent;  // the lane asked for, if it does not take part, or -1
};

int source_lane(const ShuffleData& d, int lane) {
    int segment = lane & ~(d.width - 1);
    int end = segment + d.width;
    switch (d.kind) {
        case Shuffle::index:
            return segment + (d.operand & (d.width - 1));
        case Shuffle::up:
            return lane - d.operand < segment ? lane : lane - d.operand;
        case Shuffle::down:
            return lane + d.operand >= end ? lane : lane + d.operand;
        default:
            return (lane ^ d.operand) >= end || (lane ^ d.operand) < 0 ? lane : lane ^ d.operand;
    }
}

void shuffle_work(Block*, Warp*, Meeting* meeting) {
    for (unsigned left = meeting->arrived; left != 0; left &= left - 1) {
        int lane = __builtin_ctz(left);
        ShuffleData* d = static_cast<ShuffleData*>(meeting->data[lane]);
        int source = source_lane(*d, lane);
        if ((meeting->arrived >> source & 1) != 0) {
            d->result = static_cast<ShuffleData*>(meeting->data[source])->value;
        } else {
            d->absent = source;
        }
    }
}

struct ReduceData {
    Reduce kind;
    bool is_signed;
    uint32_t value;
    uint32_t result;
};

uint32_t reduced(const ReduceData& d, uint32_t a, uint32_t b) {
    bool less = d.is_signed ? static_cast<int32_t>(a) < static_cast<int32_t>(b) : a < b;
    switch (d.kind) {
        case Reduce::add:
            return a + b;
        case Reduce::min:
            return less ? a : b;
        case Reduce::max:
            return less ? b : a;
        case Reduce::bit_and:
            return a & b;
        case Reduce::bit_or:
            return a | b;
        default:
            return a ^ b;
    }
}

void reduce_work(Block*, Warp*, Meeting* meeting) {
    unsigned left = meeting->arrived;
    const ReduceData& first = *static_cast<ReduceData*>(meeting->data[__builtin_ctz(left)]);
    uint32_t result = first.value;
    for (left &= left - 1; left != 0; left &= left - 1) {
        result = reduced(first, result, static_cast<ReduceData*>(meeting->data[__builtin_ctz(left)])->value);
    }
    for (left = meeting->arrived; left != 0; left &= left - 1) {
        static_cast<ReduceData*>(meeting->data[__builtin_ctz(left)])->result = result;
    }
}

void tensor_work(Block*, Warp*, Meeting* meeting) {
    TensorLane* lanes[32];
    for (int i = 0; i < 32; i++) {
        lanes[i] = static_cast<TensorLane*>(meeting->data[i]);
    }
    lanes[0]->work(lanes);
}

Work work_of(int kind) {
    switch (kind / variants) {
        case kind_syncwarp:
            return syncwarp_work;
        case kind_ballot:
            return ballot_work;
        case kind_shuffle:
            return shuffle_work;
        case kind_reduce:
            return reduce_work;
        default:
            return nullptr;  // matrix operations need all lanes
    }
}

}  // namespace

void meet_for_tensor(bool matrix_load, int variant, TensorLane* data, const void* place) {
    Fiber* self = current;
    if (self->warp->present != 0xffffffffu || self->warp->exited != 0) {
        fail(self, error_launch_failed,
             std::string(matrix_load ? "ldmatrix" : "mma.sync") + " in a warp that lacks some of its 32 lanes", place);
    }
    meet(matrix_load ? kind_ldmatrix : kind_mma, variant, 0xffffffffu, data, tensor_work, place);
}

void warp_barrier(unsigned mask) {
    meet(kind_syncwarp, 0, mask, nullptr, syncwarp_work, __builtin_return_address(0));
}

unsigned ballot(unsigned mask, int predicate) {
    BallotData data = {predicate, 0};
    meet(kind_ballot, 0, mask, &data, ballot_work, __builtin_return_address(0));
    return data.result;
}

unsigned active_mask() {
    // Only the calling lane is certainly active; code must not conclude more from __activemask().
    return 1u << current->lane;
}

uint64_t shuffle(Shuffle kind, unsigned mask, uint64_t value, int operand, int width) {
    const void* place = __builtin_return_address(0);
    if (width < 1 || width > 32 || (width & (width - 1)) != 0) {
        fail(current, error_launch_failed, "shuffle with width " + std::to_string(width), place);
    }
    ShuffleData data = {kind, value, operand, width, 0, -1};
    meet(kind_shuffle, static_cast<int>(kind), mask, &data, shuffle_work, place);
    if (data.absent >= 0) {
        fail(current, error_launch_failed,
             "shuffle takes the value of lane " + std::to_string(data.absent) + ", which does not take part", place);
    }
    return data.result;
}

uint32_t reduce(Reduce kind, unsigned mask, uint32_t value, bool is_signed) {
    ReduceData data = {kind, is_signed, value, 0};
    meet(kind_reduce, static_cast<int>(kind), mask, &data, reduce_work, __builtin_return_address(0));
    return data.result;
}

/// A thread has returned: lanes that waited only for it continue.
void after_exit(Fiber* self) {
    Warp* warp = self->warp;
    finish_copies(self, self->groups + 1);
    warp->exited |= 1u << self->lane;
    for (int i = 0; i < warp->meetings; i++) {
        Meeting* meeting = &warp->meeting[i];
        Work work = work_of(meeting->kind);
        if (work != nullptr && meeting->arrived == (meeting->mask & warp->present & ~warp->exited)) {
            complete(self->block, warp, meeting, work, nullptr);
            i--;
        }
    }
}

}  // namespace standin
