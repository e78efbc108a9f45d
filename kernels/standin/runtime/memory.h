// Device memory: one large reserved range of addresses per device, with two shadows beside it.
//
//   address a of the arena      the byte itself
//   state_of(a)                 one byte: whether it is allocated and has been written (below)
//   cells_of(a)                 two words for every two bytes: the last writer and the last reader (access.cpp)
//
// Host code gets tagged addresses (bit 50 set), which no processor accepts, so that Java cannot read device memory by
// accident; the tag is removed where a pointer enters a kernel or a copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace standin {

constexpr int max_devices = 8;
constexpr uintptr_t arena_base = 0x300000000000;
constexpr uintptr_t slot_size = uintptr_t{1} << 36;
constexpr uintptr_t arena_size = slot_size * max_devices;
constexpr uintptr_t state_base = 0x320000000000;
constexpr uintptr_t cell_base = 0x340000000000;
constexpr uint64_t address_tag = uint64_t{1} << 50;

// States of a byte. A plain read needs `written`, a plain write needs bit 0.
constexpr uint8_t state_none = 0;       // not allocated, or freed
constexpr uint8_t state_unwritten = 1;  // allocated, never written
constexpr uint8_t state_written = 3;
constexpr uint8_t state_arriving = 4;  // shared memory that an asynchronous copy will write

inline uint8_t* state_of(uintptr_t address) { return reinterpret_cast<uint8_t*>(address - arena_base + state_base); }

/// The cell of the two bytes at an even address: [0] the last writer, [1] the last reader.
inline uint64_t* cells_of(uintptr_t address) {
    return reinterpret_cast<uint64_t*>((address - arena_base) * 8 + cell_base);
}

struct Allocation {
    uintptr_t address;
    size_t size;
    uint64_t number;  // counted over the process
};

/// Describes the location of a device address for reports.
std::string describe_address(uint64_t address);

/// The memory of one device.
class Memory {
public:
    /// Reserves the device's range; false if those addresses are unavailable on this system.
    bool open(int device, size_t limit);
    void set_limit(size_t limit) { limit_ = limit; }

    /// Real address of `size` new bytes aligned to 512, or 0 if the limit does not allow it.
    uintptr_t allocate(size_t size);
    /// Frees an allocation; false if no live allocation begins there.
    bool release(uintptr_t address);
    /// Frees everything.
    void release_all();

    /// The live allocation containing the address (its end counts too if `or_end`), or one with size 0.
    Allocation find(uintptr_t address, bool or_end = false) const;
    /// Describes the live or freed allocation closest to an address, for reports.
    std::string describe(uintptr_t address) const;

    std::vector<Allocation> live() const;
    size_t used() const;
    size_t limit() const { return limit_; }
    uintptr_t base() const { return base_; }

    /// Addresses reserved for the shared memory of the running block.
    uintptr_t shared_base() const { return base_ + (uintptr_t{1} << 24); }
    static constexpr size_t shared_room = size_t{1} << 20;

private:
    uintptr_t place(size_t room);

    mutable std::mutex mutex_;
    std::map<uintptr_t, Allocation> live_;
    std::vector<Allocation> freed_;
    size_t next_freed_ = 0;
    uintptr_t base_ = 0;
    uintptr_t cursor_ = 0;
    size_t limit_ = 0;
    size_t used_ = 0;
};

/// Memory of device 0 to max_devices - 1, opened or not.
Memory& memory_of(int device);

/// True and the real address if the value lies in some device's tagged range.
inline bool untag(uint64_t address, uintptr_t* real) {
    uint64_t offset = address - (address_tag + arena_base);
    *real = static_cast<uintptr_t>(address - address_tag);
    return offset < arena_size;
}
inline uint64_t with_tag(uintptr_t real) { return real + address_tag; }

enum class Use { allocated, read, write };

/// Checks the use of a range of device memory by a copy or a library. Returns the problem, or "" if there is none. A
/// read requires written bytes, a write marks them as written. `device` -1: any.
std::string check_range(int device, uint64_t tagged, size_t size, Use use);

/// Offset of the first byte of [real, real + size) that has no `written` state; size if all have.
size_t first_unwritten(uintptr_t real, size_t size);
void mark_written(uintptr_t real, size_t size);
/// Forgets all readers and writers.
void clear_cells(int device);

}  // namespace standin
