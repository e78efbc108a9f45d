// A switch between stacks, and stacks with a guard page below each.
#pragma once

#include <cstddef>
#include <vector>

extern "C" {
/// Saves the caller's registers on its stack and the stack pointer in *save, then goes on where `to` was saved.
void sgpt_standin_switch(void** save, void* to);
/// Where a new stack begins: calls the function left in a saved register by prepare_stack.
void sgpt_standin_start();
}

namespace standin {

/// Stack pointer for sgpt_standin_switch that will call `entry` (which must not return) on the stack ending at `top`.
void* prepare_stack(char* top, void (*entry)());

class Stacks {
public:
    static constexpr size_t size = 128 * 1024;

    Stacks() = default;
    Stacks(const Stacks&) = delete;
    Stacks& operator=(const Stacks&) = delete;
    ~Stacks();

    /// Highest address (exclusive) of a free stack; 0 if memory is short.
    char* take();
    void give(char* top) { free_.push_back(top); }
    /// All stacks are free again.
    void reset();
    bool contains(const void* address) const;

private:
    bool grow();
    std::vector<char*> slabs_;
    std::vector<char*> free_;
};

}  // namespace standin
