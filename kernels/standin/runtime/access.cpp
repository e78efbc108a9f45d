// Implements the calls that -fsanitize=thread and -fsanitize=alignment insert around the kernels' loads and stores.
#include <link.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "cells.h"
#include "memory.h"

namespace standin {

namespace {

template <int size>
struct Word;
template <>
struct Word<1> {
    using type = uint8_t;
};
template <>
struct Word<2> {
    using type = uint16_t;
};
template <>
struct Word<4> {
    using type = uint32_t;
};
template <>
struct Word<8> {
    using type = uint64_t;
};

std::string thread_name(const Fiber& f, uint64_t thread) {
    const uint3& b = f.block->plan->block;
    unsigned t = static_cast<unsigned>(thread);
    char text[64];
    snprintf(text, sizeof text, "(%u,%u,%u)", t % b.x, t / b.x % b.y, t / b.x / b.y);
    return text;
}

[[noreturn, gnu::noinline]] void bad_state(Fiber* f, uintptr_t address, size_t size, bool write, const void* place) {
    for (size_t i = 0; i < size; i++) {
        uint8_t state = *state_of(address + i);
        std::string access = (write ? "write of " : "read of ") + std::to_string(size) + " bytes at " +
                             describe_place(address) + (i == 0 ? "" : " (its byte " + std::to_string(i) + ")");
        if (state == state_none) {
            fail(f, error_illegal_address, "out-of-bounds " + access, place);
        }
        if (state == state_arriving) {
            fail(f, error_launch_failed, access + ", where an asynchronous copy has not been waited for", place);
        }
        if (state == state_unwritten && !write) {
            fail(f, error_launch_failed, "uninitialised " + access, place);
        }
    }
    fail(f, error_launch_failed, "memory state changed under an access", place);
}

[[noreturn, gnu::noinline]] void race(Fiber* f, uintptr_t address, uint64_t other, bool write, bool other_write,
                                      const void* place) {
    std::string text = std::string("race: ") + (write ? "write" : "read") + " at " + describe_place(address) + ", ";
    uint64_t key = key_at(f, address);
    if ((other ^ key) >> launch_shift != 0) {
        text += std::string(other_write ? "written by " : "read by ") + f->block->order->words(other);
        fail(f, error_launch_failed, text, place);
    }
    bool same_block = (other ^ key) >> block_shift == 0;
    uint64_t thread = (other >> thread_shift) & 0x3ff;
    uint64_t kind = other & kind_mask;
    if (!same_block || kind == kind_grid) {
        text += "and another block";
    } else if (kind == kind_block || (!other_write && kind == kind_atomic)) {
        text += "and other threads, the last being " + thread_name(*f, thread) + ",";
    } else {
        text += "and thread " + thread_name(*f, thread);
    }
    text += !other_write ? " read it" : kind != kind_plain ? " changed it atomically" : " wrote it";
    text += same_block ? " with no barrier between" : " in the same launch";
    if (same_block && (other ^ key) >> warp_shift == 0) {
        text += " (same warp: __syncwarp is missing)";
    }
    fail(f, error_launch_failed, text, place);
}

/// Reports an access outside this device's memory, unless it is to local memory or a constant.
[[gnu::noinline]] void outside(Fiber* f, uintptr_t address, size_t size, bool write, const void* place) {
    uintptr_t stack = reinterpret_cast<uintptr_t>(f->stack);
    const void* pointer = reinterpret_cast<const void*>(address);
    if (address < stack && address >= stack - Stacks::size) {
        return;  // a local variable whose address was taken
    }
    if (!write && in_own_image(pointer)) {
        return;  // a constant table
    }
    char text[240];
    const char* kind = write ? "write" : "read";
    if (address < 65536) {
        snprintf(text, sizeof text, "%s of %zu bytes through a null pointer (address 0x%" PRIxPTR ")", kind, size,
                 address);
    } else if (address - arena_base < arena_size) {
        std::string where = describe_address(with_tag(address));
        fail(f, error_illegal_address, std::string(kind) + " of another device's memory, " + where, place);
    } else if (address - (arena_base + address_tag) < arena_size) {
        snprintf(text, sizeof text,
                 "%s of %zu bytes through a pointer that was read from memory or passed as a number (0x%" PRIxPTR
                 "): the stand-in translates pointer parameters only",
                 kind, size, address);
    } else if (f->block->stacks.contains(pointer)) {
        snprintf(text, sizeof text, "%s of %zu bytes of another thread's local memory", kind, size);
    } else {
        snprintf(text, sizeof text, "%s of %zu bytes at no device address (0x%" PRIxPTR "; 0x%" PRIx64
                 " if a wild index led there from device memory)", kind, size, address, with_tag(address));
    }
    fail(f, error_illegal_address, text, place);
}

// Neighbouring cells are mostly equal, so the result for one is reused for the next.

SGPT_INLINE void read_cells(Fiber* f, uintptr_t address, size_t cells, const void* place) {
    uint64_t* cell = cells_of(address & ~uintptr_t{1});
    uint64_t key = key_at(f, address);
    uint64_t mine = key | f->block->now;
    uint64_t last_writer = 0;
    for (size_t i = 0; i < cells; i++, cell += 2) {
        uint64_t reader = cell[1];
        if (reader == mine) {
            continue;  // read before at this time: a conflicting write since then would have been reported
        }
        uint64_t writer = cell[0];
        if (writer != last_writer) {
            if (__builtin_expect(writer_conflicts(f, key, writer), 0)) {
                race(f, address + 2 * i, writer, false, true, place);
            }
            last_writer = writer;
        }
        if (!already_joined(reader, mine)) {
            cell[1] = joined_reader(f, key, reader, mine);
        }
    }
}

SGPT_INLINE void write_cells(Fiber* f, uintptr_t address, size_t cells, uint64_t kind, const void* place) {
    uint64_t* cell = cells_of(address & ~uintptr_t{1});
    uint64_t key = key_at(f, address);
    uint64_t mine = key | f->block->now;
    uint64_t last_reader = 0;
    for (size_t i = 0; i < cells; i++, cell += 2) {
        uint64_t writer = cell[0];
        if (writer != mine || kind != kind_plain) {
            bool both_atomic = kind == kind_atomic && (writer & kind_mask) != kind_plain;
            if (__builtin_expect(!both_atomic && writer_conflicts(f, key, writer), 0)) {
                race(f, address + 2 * i, writer, true, true, place);
            }
            cell[0] = kind == kind_plain ? mine : mine | joined_writer(f, key, writer);
        }
        uint64_t reader = cell[1];
        if (reader != last_reader) {
            if (__builtin_expect(reader_conflicts(f, key, reader), 0)) {
                race(f, address + 2 * i, reader, true, false, place);
            }
            last_reader = reader;
        }
    }
}

template <int size, bool write>
SGPT_INLINE void access(const void* pointer, const void* place) {
    using State = typename Word<size == 16 ? 8 : size>::type;
    Fiber* f = current;
    if (f == nullptr) {
        return;
    }
    uintptr_t address = reinterpret_cast<uintptr_t>(pointer);
    if (__builtin_expect(address - f->slot >= slot_size, 0)) {
        outside(f, address, size, write, place);
        return;
    }
    constexpr State written = static_cast<State>(0x0303030303030303u);
    constexpr State allocated = static_cast<State>(0x0101010101010101u);
    State* state = reinterpret_cast<State*>(state_of(address));
    for (int i = 0; i < (size == 16 ? 2 : 1); i++) {
        if (write) {
            if (__builtin_expect((state[i] & allocated) != allocated, 0)) {
                bad_state(f, address, size, true, place);
            }
            state[i] = written;
        } else if (__builtin_expect(state[i] != written, 0)) {
            bad_state(f, address, size, false, place);
        }
    }
    // A cell covers two bytes: accesses to single bytes are not checked for races.
    if (size > 1) {
        if (write) {
            write_cells(f, address, size / 2, kind_plain, place);
        } else {
            read_cells(f, address, size / 2, place);
        }
    }
}

template <bool write>
void range(const void* pointer, size_t size, const void* place) {
    Fiber* f = current;
    if (f == nullptr || size == 0) {
        return;
    }
    uintptr_t address = reinterpret_cast<uintptr_t>(pointer);
    if (address - f->slot >= slot_size || size > slot_size - (address - f->slot)) {
        outside(f, address, size, write, place);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        uint8_t state = *state_of(address + i);
        if (write ? (state & 1) == 0 : state != state_written) {
            bad_state(f, address, size, write, place);
        }
    }
    if (write) {
        mark_written(address, size);
    }
    uintptr_t first = (address + 1) & ~uintptr_t{1};
    uintptr_t end = (address + size) & ~uintptr_t{1};
    size_t cells = end > first ? (end - first) / 2 : 0;
    if (write) {
        write_cells(f, first, cells, kind_plain, place);
    } else {
        read_cells(f, first, cells, place);
    }
}

}  // namespace

std::string describe_place(uintptr_t address) {
    const Fiber* f = current;
    uintptr_t shared = f->block->shared;
    if (address + 65536 >= shared && address < shared + Memory::shared_room) {
        char text[100];
        snprintf(text, sizeof text, "shared memory offset %" PRId64 " of %u bytes",
                 static_cast<int64_t>(address) - static_cast<int64_t>(shared), f->block->plan->shared);
        return text;
    }
    return "global memory " + describe_address(with_tag(address));
}

void checked_read(const void* address, size_t size, const void* place) { range<false>(address, size, place); }
void checked_write(const void* address, size_t size, const void* place) { range<true>(address, size, place); }
void checked_read16(const void* address, const void* place) { access<16, false>(address, place); }
void checked_write16(const void* address, const void* place) { access<16, true>(address, place); }

void atomic_read(void* local, const void* pointer, unsigned size) {
    const void* place = __builtin_return_address(0);
    Fiber* f = current;
    uintptr_t address = reinterpret_cast<uintptr_t>(pointer);
    if (address % size != 0) {
        fail(f, error_misaligned_address,
             "misaligned atomic access of " + std::to_string(size) + " bytes at " + describe_place(address), place);
    }
    if (address - f->slot >= slot_size) {
        outside(f, address, size, true, place);
        return;
    }
    if (first_unwritten(address, size) != size) {
        bad_state(f, address, size, false, place);
    }
    write_cells(f, address, size / 2, kind_atomic, place);
    __builtin_memcpy(local, pointer, size);
}

void atomic_write(void* address, const void* local, unsigned size) { __builtin_memcpy(address, local, size); }

namespace {

/// Address range of the library that contains this code and the kernels.
struct Image {
    uintptr_t first = 0;
    uintptr_t end = 0;

    static int visit(dl_phdr_info* info, size_t, void* data) {
        Image seen;
        for (int i = 0; i < info->dlpi_phnum; i++) {
            const auto& segment = info->dlpi_phdr[i];
            uintptr_t start = info->dlpi_addr + segment.p_vaddr;
            if (segment.p_type == PT_LOAD) {
                seen.first = seen.first == 0 ? start : std::min(seen.first, start);
                seen.end = std::max(seen.end, start + segment.p_memsz);
            }
        }
        uintptr_t own = reinterpret_cast<uintptr_t>(&in_own_image);
        if (own < seen.first || own >= seen.end) {
            return 0;
        }
        *static_cast<Image*>(data) = seen;
        return 1;
    }
};

}  // namespace

bool in_own_image(const void* address) {
    static const Image own = [] {
        Image image;
        dl_iterate_phdr(&Image::visit, &image);
        return image;
    }();
    uintptr_t a = reinterpret_cast<uintptr_t>(address);
    return a >= own.first && a < own.end;
}

}  // namespace standin

extern "C" {

#define SGPT_PLACE __builtin_return_address(0)
#define SGPT_ACCESS(size)                                                                     \
    void __tsan_read##size(void* p) { standin::access<size, false>(p, SGPT_PLACE); }          \
    void __tsan_write##size(void* p) { standin::access<size, true>(p, SGPT_PLACE); }          \
    void __tsan_unaligned_read##size(void* p) { standin::checked_read(p, size, SGPT_PLACE); } \
    void __tsan_unaligned_write##size(void* p) { standin::checked_write(p, size, SGPT_PLACE); }
void __tsan_init() {}
SGPT_ACCESS(1)
SGPT_ACCESS(2)
SGPT_ACCESS(4)
SGPT_ACCESS(8)
SGPT_ACCESS(16)
void __tsan_read_range(void* p, unsigned long size) { standin::checked_read(p, size, SGPT_PLACE); }
void __tsan_write_range(void* p, unsigned long size) { standin::checked_write(p, size, SGPT_PLACE); }

// The build renames the kernels' own calls to these functions.
void* sgpt_standin_memcpy(void* to, const void* from, size_t size) {
    standin::checked_read(from, size, SGPT_PLACE);
    standin::checked_write(to, size, SGPT_PLACE);
    return __builtin_memcpy(to, from, size);
}
void* sgpt_standin_memmove(void* to, const void* from, size_t size) {
    standin::checked_read(from, size, SGPT_PLACE);
    standin::checked_write(to, size, SGPT_PLACE);
    return __builtin_memmove(to, from, size);
}
void* sgpt_standin_memset(void* to, int value, size_t size) {
    standin::checked_write(to, size, SGPT_PLACE);
    return __builtin_memset(to, value, size);
}

// Layout as the compiler emits it (-fsanitize=alignment).
struct SgptTypeName {
    uint16_t kind;
    uint16_t info;
    char name[1];
};
struct SgptMismatch {
    const char* file;
    uint32_t line;
    uint32_t column;
    SgptTypeName* type;
    uint8_t log_alignment;
    uint8_t access;
};
void __ubsan_handle_type_mismatch_v1(SgptMismatch* data, uintptr_t pointer) {
    standin::Fiber* f = standin::current;
    if (f == nullptr) {
        return;
    }
    char text[300];
    snprintf(text, sizeof text, "misaligned %s of type %s, which needs %u bytes, at %s",
             data->access == 1 ? "write" : "access", data->type->name, 1u << data->log_alignment,
             standin::describe_place(pointer).c_str());
    standin::fail(f, standin::error_misaligned_address, text, SGPT_PLACE);
}
}
