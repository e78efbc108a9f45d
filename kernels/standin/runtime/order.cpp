#include "order.h"

#include <algorithm>

#include "block.h"
#include "memory.h"

namespace standin {

thread_local Order* current_order = nullptr;

void Clock::join(const Clock& other) {
    at_.resize(std::max(at_.size(), other.at_.size()));
    for (size_t i = 0; i < other.at_.size(); i++) {
        at_[i] = std::max(at_[i], other.at_[i]);
    }
}

uint64_t Clock::tick(unsigned stream) {
    if (at_.size() <= stream) {
        at_.resize(stream + 1);
    }
    return ++at_[stream];
}

std::string Order::words(uint64_t cell) const {
    auto found = names.find(static_cast<unsigned>(cell >> launch_shift));
    return (found == names.end() ? "an operation" : found->second) +
           " of another stream, not ordered by an event or by the host's waiting";
}

std::string note_access(uintptr_t real, size_t size, bool write) {
    // Cells take eight times the memory, so large copies, such as those of weights, are followed in samples.
    constexpr size_t followed = size_t{1} << 20;
    const Order* order = current_order;
    if (order == nullptr || size == 0) {
        return "";
    }
    size_t step = size > followed ? 32768 : 1;
    uint64_t mine = order->launch << launch_shift;
    uintptr_t first = real & ~uintptr_t{1};
    uint64_t* cell = cells_of(first);
    size_t cells = (real + size - first + 1) / 2;
    for (size_t i = 0; i < cells; i += step, cell += 2 * step) {
        bool written = order->conflicts(cell[0]);
        if (written || (write && order->conflicts(cell[1]))) {
            return std::string("race: ") + (write ? "write" : "read") + " at " +
                   describe_address(with_tag(first + 2 * i)) + ", which was " + (written ? "written" : "read") +
                   " by " + order->words(cell[written ? 0 : 1]);
        }
        cell[write ? 0 : 1] = mine | kind_grid;
    }
    return "";
}

}  // namespace standin
