// Order between the operations of a device's streams: which finished operations are not ordered before the running one
// by streams, events or waits of the host. If both access the same bytes and one writes, that is a race.
#pragma once

#include <bitset>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace standin {

/// For each stream (by index), the number of its operations that are known to come before.
class Clock {
public:
    void join(const Clock& other);
    bool covers(unsigned stream, uint64_t count) const { return at(stream) >= count; }
    uint64_t at(unsigned stream) const { return stream < at_.size() ? at_[stream] : 0; }
    /// One more operation of a stream: its count.
    uint64_t tick(unsigned stream);

private:
    std::vector<uint64_t> at_;
};

/// The running operation.
struct Order {
    uint64_t launch = 0;  // its number in cells
    bool any = false;     // whether some operation below is set
    std::bitset<65536> unordered;
    std::map<unsigned, std::string> names;  // of the unordered ones

    bool conflicts(uint64_t cell) const { return any && unordered[cell >> 48]; }
    std::string words(uint64_t cell) const;
};

/// The order of the operation that this worker thread runs, or null.
extern thread_local Order* current_order;

/// Checks an access by a copy or a library for races and records it; of large ones, at places 64 KiB apart. Returns ""
/// or the problem.
std::string note_access(uintptr_t real, size_t size, bool write);

}  // namespace standin
