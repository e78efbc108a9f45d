// The last writer and reader of two bytes of device memory, and whether they are ordered before the running thread.
#pragma once

#include "block.h"
#include "memory.h"
#include "order.h"

namespace standin {

#define SGPT_INLINE inline __attribute__((always_inline))

/// This thread's key for an address: cells of shared memory are distinguished by block, not by launch.
SGPT_INLINE uint64_t key_at(const Fiber* f, uintptr_t address) {
    return address - f->shared < Memory::shared_room ? f->shared_key : f->key;
}

SGPT_INLINE bool ordered(const Fiber* f, uint64_t key, uint64_t other) {
    uint64_t time = other & time_mask;
    if (time < f->block->barrier_time) {
        return true;
    }
    if ((other ^ key) >> warp_shift != 0) {
        return false;
    }
    return time < f->warp_time || (time < f->part_time && (f->part_mask >> ((other >> thread_shift) & 31) & 1) != 0);
}

/// Whether the cell belongs to global memory and another operation's access to it is not ordered before this one.
SGPT_INLINE bool other_launch_conflicts(const Fiber* f, uint64_t key, uint64_t other) {
    return __builtin_expect(f->block->order->any, 0) && key == f->key && f->block->order->conflicts(other);
}

/// Whether a remembered writer of this launch is another thread that is not ordered before this one.
SGPT_INLINE bool writer_conflicts(const Fiber* f, uint64_t key, uint64_t other) {
    uint64_t difference = other ^ key;
    if (difference >> launch_shift != 0) {
        return other_launch_conflicts(f, key, other);
    }
    uint64_t kind = other & kind_mask;
    if (difference >> thread_shift == 0 && kind < kind_block) {
        return false;
    }
    return difference >> block_shift != 0 || kind == kind_grid || !ordered(f, key, other);
}

/// The writer to record when this thread performs an atomic change.
SGPT_INLINE uint64_t joined_writer(const Fiber* f, uint64_t key, uint64_t other) {
    uint64_t difference = other ^ key;
    uint64_t kind = other & kind_mask;
    if (difference >> launch_shift != 0 || kind == kind_plain) {
        return kind_atomic;
    }
    if (difference >> block_shift != 0 || kind == kind_grid) {
        return kind_grid;
    }
    bool alone = difference >> thread_shift == 0 && kind == kind_atomic;
    return alone || ordered(f, key, other) ? kind_atomic : kind_block;
}

SGPT_INLINE bool reader_conflicts(const Fiber* f, uint64_t key, uint64_t other) {
    uint64_t difference = other ^ key;
    if (difference >> launch_shift != 0) {
        return other_launch_conflicts(f, key, other);
    }
    uint64_t kind = other & kind_mask;
    if (kind == kind_grid || difference >> block_shift != 0) {
        return true;
    }
    return (kind != kind_plain || difference >> thread_shift != 0) && !ordered(f, key, other);
}

/// Whether the recorded reader already covers this thread: several threads of its block at the same time, or several
/// blocks of its launch.
SGPT_INLINE bool already_joined(uint64_t other, uint64_t mine) {
    constexpr uint64_t but_thread = ~((uint64_t{0x3ff} << thread_shift) | kind_mask);
    uint64_t kind = other & kind_mask;
    uint64_t difference = other ^ mine;
    return (kind == kind_grid && difference >> launch_shift == 0) ||
           (kind == kind_block && (difference & but_thread) == 0);
}

/// The reader to record when this thread reads too.
SGPT_INLINE uint64_t joined_reader(const Fiber* f, uint64_t key, uint64_t other, uint64_t mine) {
    uint64_t difference = other ^ key;
    if (difference >> launch_shift != 0) {
        return mine;
    }
    uint64_t kind = other & kind_mask;
    if (difference >> block_shift != 0 || kind == kind_grid) {
        return mine | kind_grid;
    }
    if ((kind == kind_plain && difference >> thread_shift == 0) || ordered(f, key, other)) {
        return mine;
    }
    // Several lanes of this warp, or several threads of the block.
    return mine | (difference >> warp_shift == 0 && kind != kind_block ? kind_atomic : kind_block);
}

}  // namespace standin
