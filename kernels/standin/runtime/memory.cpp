#include "memory.h"

#include "order.h"

#include <sys/mman.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>

namespace standin {

namespace {

constexpr size_t granule = 512;
constexpr uintptr_t heap_offset = uintptr_t{1} << 30;
constexpr size_t remembered_frees = 4096;

uint64_t allocation_count = 0;
Memory memories[max_devices];

size_t round_up(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

bool reserve(uintptr_t address, size_t size) {
    void* wanted = reinterpret_cast<void*>(address);
    void* got = mmap(wanted, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (got != wanted) {
        if (got != MAP_FAILED) {
            munmap(got, size);
        }
        return false;
    }
    madvise(wanted, size, MADV_DONTDUMP);
    return true;
}

/// Returns whole pages of the range to the system and zeroes the rest.
void discard(uintptr_t address, size_t size) {
    constexpr uintptr_t page = 4096;
    uintptr_t first = round_up(address, page);
    uintptr_t end = address + size;
    uintptr_t last = end / page * page;
    if (size < 64 * page || last <= first) {
        memset(reinterpret_cast<void*>(address), 0, size);
        return;
    }
    memset(reinterpret_cast<void*>(address), 0, first - address);
    madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
    memset(reinterpret_cast<void*>(last), 0, end - last);
}

std::string relation(const Allocation& a, uintptr_t address, const char* kind) {
    char text[200];
    const char* where = address < a.address ? "before the start of" : "after the end of";
    uintptr_t distance = address < a.address ? a.address - address : address - (a.address + a.size);
    if (address >= a.address && address < a.address + a.size) {
        snprintf(text, sizeof text, "offset %zu of %s allocation #%" PRIu64 " (%zu bytes at 0x%" PRIx64 ")",
                 static_cast<size_t>(address - a.address), kind, a.number, a.size, with_tag(a.address));
    } else {
        snprintf(text, sizeof text, "%zu bytes %s %s allocation #%" PRIu64 " (%zu bytes at 0x%" PRIx64 ")",
                 static_cast<size_t>(distance), where, kind, a.number, a.size, with_tag(a.address));
    }
    return text;
}

}  // namespace

Memory& memory_of(int device) { return memories[device]; }

bool Memory::open(int device, size_t limit) {
    std::lock_guard<std::mutex> guard(mutex_);
    limit_ = limit;
    if (base_ != 0) {
        return true;
    }
    uintptr_t base = arena_base + static_cast<uintptr_t>(device) * slot_size;
    if (!reserve(base, slot_size) || !reserve(reinterpret_cast<uintptr_t>(state_of(base)), slot_size) ||
        !reserve(reinterpret_cast<uintptr_t>(cells_of(base)), slot_size * 8)) {
        return false;
    }
    base_ = base;
    cursor_ = base + heap_offset;
    return true;
}

uintptr_t Memory::place(size_t room) {
    uintptr_t end = base_ + slot_size;
    bool wrapped = false;
    for (;;) {
        if (cursor_ + room > end) {
            if (wrapped) {
                return 0;
            }
            wrapped = true;
            cursor_ = base_ + heap_offset;
        }
        auto blocking = live_.upper_bound(cursor_);
        if (blocking != live_.begin()) {
            auto before = std::prev(blocking);
            uintptr_t before_end = round_up(before->second.address + before->second.size + granule, granule);
            if (before_end > cursor_) {
                cursor_ = before_end;
                continue;
            }
        }
        if (blocking == live_.end() || blocking->first >= cursor_ + room) {
            uintptr_t result = cursor_;
            cursor_ += room;
            return result;
        }
        cursor_ = round_up(blocking->second.address + blocking->second.size + granule, granule);
    }
}

uintptr_t Memory::allocate(size_t size) {
    std::lock_guard<std::mutex> guard(mutex_);
    size_t counted = round_up(size, granule);
    if (counted < size || counted > limit_ || used_ > limit_ - counted) {
        return 0;
    }
    // Freed addresses are reused as late as possible, and neighbours are far apart: both make errors visible.
    size_t gap = std::max<size_t>(65536, round_up(size / 4, granule));
    uintptr_t address = place(counted + gap);
    if (address == 0) {
        return 0;
    }
    memset(state_of(address), state_unwritten, size);
    live_[address] = {address, size, ++allocation_count};
    used_ += counted;
    return address;
}

bool Memory::release(uintptr_t address) {
    std::lock_guard<std::mutex> guard(mutex_);
    auto found = live_.find(address);
    if (found == live_.end()) {
        return false;
    }
    Allocation gone = found->second;
    live_.erase(found);
    used_ -= round_up(gone.size, granule);
    if (freed_.size() < remembered_frees) {
        freed_.push_back(gone);
    } else {
        freed_[next_freed_++ % remembered_frees] = gone;
    }
    discard(reinterpret_cast<uintptr_t>(state_of(gone.address)), gone.size);
    discard(gone.address, gone.size);
    discard(reinterpret_cast<uintptr_t>(cells_of(gone.address)), round_up(gone.size, 2) * 8);
    return true;
}

void Memory::release_all() {
    for (const Allocation& a : live()) {
        release(a.address);
    }
}

Allocation Memory::find(uintptr_t address, bool or_end) const {
    std::lock_guard<std::mutex> guard(mutex_);
    auto after = live_.upper_bound(address);
    if (after != live_.begin()) {
        const Allocation& a = std::prev(after)->second;
        if (address < a.address + a.size || (or_end && address == a.address + a.size)) {
            return a;
        }
    }
    return {0, 0, 0};
}

std::string Memory::describe(uintptr_t address) const {
    std::lock_guard<std::mutex> guard(mutex_);
    auto after = live_.upper_bound(address);
    if (after != live_.begin()) {
        const Allocation& a = std::prev(after)->second;
        if (address < a.address + a.size) {
            return relation(a, address, "the");
        }
    }
    for (size_t i = freed_.size(); i-- > 0;) {
        const Allocation& a = freed_[(i + next_freed_) % freed_.size()];
        if (address >= a.address && address < a.address + a.size) {
            return relation(a, address, "freed");
        }
    }
    const Allocation* nearest = nullptr;
    if (after != live_.begin()) {
        nearest = &std::prev(after)->second;
    }
    if (after != live_.end()) {
        const Allocation& a = after->second;
        if (nearest == nullptr || a.address - address < address - (nearest->address + nearest->size)) {
            nearest = &a;
        }
    }
    return nearest == nullptr ? "no allocation is live" : relation(*nearest, address, "the");
}

std::vector<Allocation> Memory::live() const {
    std::lock_guard<std::mutex> guard(mutex_);
    std::vector<Allocation> all;
    for (const auto& entry : live_) {
        all.push_back(entry.second);
    }
    return all;
}

size_t Memory::used() const {
    std::lock_guard<std::mutex> guard(mutex_);
    return used_;
}

size_t first_unwritten(uintptr_t real, size_t size) {
    const uint8_t* states = state_of(real);
    size_t i = 0;
    constexpr uint64_t all_written = 0x0101010101010101u * state_written;
    for (; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, states + i, 8);
        if (word != all_written) {
            break;
        }
    }
    while (i < size && states[i] == state_written) {
        i++;
    }
    return i;
}

void mark_written(uintptr_t real, size_t size) { memset(state_of(real), state_written, size); }

void clear_cells(int device) {
    uintptr_t base = memory_of(device).base();
    if (base != 0) {
        madvise(cells_of(base), slot_size * 8, MADV_DONTNEED);
    }
}

std::string describe_address(uint64_t address) {
    uintptr_t real = 0;
    char text[64];
    snprintf(text, sizeof text, "0x%" PRIx64, address);
    if (!untag(address, &real)) {
        return std::string(text) + ", which is no device address";
    }
    int device = static_cast<int>((real - arena_base) / slot_size);
    return std::string(text) + " on device " + std::to_string(device) + ", " + memory_of(device).describe(real);
}

std::string check_range(int device, uint64_t tagged, size_t size, Use use) {
    if (size == 0) {
        return "";
    }
    uintptr_t real = 0;
    if (!untag(tagged, &real)) {
        return "address " + describe_address(tagged);
    }
    int owner = static_cast<int>((real - arena_base) / slot_size);
    if (device >= 0 && owner != device) {
        return "address " + describe_address(tagged) + ", but device " + std::to_string(device) + " uses it";
    }
    Allocation a = memory_of(owner).find(real);
    if (a.size == 0) {
        return "address " + describe_address(tagged) + ": not allocated";
    }
    size_t left = a.size - (real - a.address);
    if (size > left) {
        return std::to_string(size) + " bytes at " + describe_address(tagged) + ": " + std::to_string(size - left) +
               " bytes too many";
    }
    if (use == Use::allocated) {
        return "";
    }
    std::string race = note_access(real, size, use == Use::write);
    if (use == Use::write) {
        mark_written(real, size);
    }
    if (use == Use::write || !race.empty()) {
        return race;
    }
    size_t first = first_unwritten(real, size);
    if (first < size) {
        return "uninitialised bytes at " + describe_address(tagged + first) + " (byte " + std::to_string(first) +
               " of the range read)";
    }
    return "";
}

}  // namespace standin
