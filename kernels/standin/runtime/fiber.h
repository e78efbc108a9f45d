// A switch between stacks, and stacks with a guard page below each.
#pragma once

#include <cstddef>
#include <vector>

extern "C" {
/// Saves the caller's registers on its stack and the stack pointer in *save, then continues where `to` was saved.
void sgpt_standin_switch(void** save, void* to);
/// Entry point of a new stack: calls the function that prepare_stack put into a saved register.
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

    /// Highest address (exclusive) of a free stack; 0 if there is not enough memory.
    char* take();
    void give(char* top) { free_.push_back(top); }
    /// Frees all stacks.
    void reset();
    bool contains(const void* address) const;

private:
    bool grow();
    std::vector<char*> slabs_;
    std::vector<char*> free_;
};

}  // namespace standin
