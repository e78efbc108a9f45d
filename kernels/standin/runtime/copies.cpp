// Accesses written as functions: asynchronous copies, loads and stores of several bytes at once.
#include <algorithm>
#include <cstring>

#include "block.h"
#include "memory.h"

namespace standin {

namespace {

void need_alignment(const void* address, unsigned size, const char* what, const void* place) {
    uintptr_t a = reinterpret_cast<uintptr_t>(address);
    if (a % size != 0) {
        fail(current, error_misaligned_address,
             std::string("misaligned ") + what + " of " + std::to_string(size) + " bytes at " + describe_place(a),
             place);
    }
}

}  // namespace

void load16(void* local, const void* from) {
    need_alignment(from, 16, "read", __builtin_return_address(0));
    checked_read16(from, __builtin_return_address(0));
    memcpy(local, from, 16);
}

void load8(void* local, const void* from) {
    need_alignment(from, 8, "read", __builtin_return_address(0));
    checked_read(from, 8, __builtin_return_address(0));
    memcpy(local, from, 8);
}

void store16(void* to, const void* local) {
    need_alignment(to, 16, "write", __builtin_return_address(0));
    checked_write16(to, __builtin_return_address(0));
    memcpy(to, local, 16);
}

void store8(void* to, const void* local) {
    need_alignment(to, 8, "write", __builtin_return_address(0));
    checked_write(to, 8, __builtin_return_address(0));
    memcpy(to, local, 8);
}

void copy_async(void* shared, const void* global, int size, int source_size) {
    const void* place = __builtin_return_address(0);
    Fiber* self = current;
    uintptr_t to = reinterpret_cast<uintptr_t>(shared);
    uintptr_t from = reinterpret_cast<uintptr_t>(global);
    uintptr_t window = self->block->shared;
    if ((size != 4 && size != 8 && size != 16) || source_size < 0 || source_size > size) {
        fail(self, error_illegal_instruction, "cp.async of " + std::to_string(size) + " bytes", place);
    }
    need_alignment(shared, static_cast<unsigned>(size), "cp.async to", place);
    if (source_size > 0) {
        need_alignment(global, static_cast<unsigned>(size), "cp.async from", place);
    }
    if (to + 65536 < window || to >= window + Memory::shared_room) {
        fail(self, error_illegal_address, "cp.async into something else than shared memory", place);
    }
    if (source_size > 0 && from + 65536 >= window && from < window + Memory::shared_room) {
        fail(self, error_illegal_address, "cp.async from shared memory", place);
    }
    checked_read(global, static_cast<size_t>(source_size), place);
    checked_write(shared, static_cast<size_t>(size), place);
    std::fill(state_of(to), state_of(to) + size, state_arriving);
    self->copies.push_back({to, from, size, source_size, self->groups, place});
}

void finish_copies(Fiber* self, uint64_t before_group) {
    size_t done = 0;
    while (done < self->copies.size() && self->copies[done].group < before_group) {
        const AsyncCopy& c = self->copies[done++];
        void* to = reinterpret_cast<void*>(c.to);
        const void* from = reinterpret_cast<const void*>(c.from);
        size_t source = static_cast<size_t>(c.source_size);
        checked_read(from, source, c.place);
        std::fill(state_of(c.to), state_of(c.to) + c.size, state_unwritten);
        checked_write(to, static_cast<size_t>(c.size), c.place);
        memcpy(to, from, source);
        memset(static_cast<char*>(to) + source, 0, static_cast<size_t>(c.size) - source);
    }
    if (done > 0) {
        self->copies.erase(self->copies.begin(), self->copies.begin() + static_cast<std::ptrdiff_t>(done));
    }
}

void copy_async_commit() { current->groups++; }

void copy_async_wait(int pending_groups) {
    Fiber* self = current;
    uint64_t pending = static_cast<uint64_t>(std::max(pending_groups, 0));
    if (self->groups > pending) {
        finish_copies(self, self->groups - pending);
    }
}

void copy_async_wait_all() { finish_copies(current, current->groups + 1); }

}  // namespace standin
