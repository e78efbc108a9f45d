#include "fiber.h"

#include <sys/mman.h>

#include <cstdint>

#if defined(__x86_64__)
asm(R"(
    .text
    .p2align 4
    .globl sgpt_standin_switch
    .hidden sgpt_standin_switch
    .type sgpt_standin_switch, @function
sgpt_standin_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size sgpt_standin_switch, .-sgpt_standin_switch

    .p2align 4
    .globl sgpt_standin_start
    .hidden sgpt_standin_start
    .type sgpt_standin_start, @function
sgpt_standin_start:
    xorl %ebp, %ebp
    callq *%rbx
    ud2
    .size sgpt_standin_start, .-sgpt_standin_start
)");
#elif defined(__aarch64__)
asm(R"(
    .text
    .p2align 4
    .globl sgpt_standin_switch
    .hidden sgpt_standin_switch
    .type sgpt_standin_switch, %function
sgpt_standin_switch:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
    .size sgpt_standin_switch, .-sgpt_standin_switch

    .p2align 4
    .globl sgpt_standin_start
    .hidden sgpt_standin_start
    .type sgpt_standin_start, %function
sgpt_standin_start:
    mov x29, xzr
    blr x19
    brk #0
    .size sgpt_standin_start, .-sgpt_standin_start
)");
#else
#error "the stand-in switches stacks on x86-64 and aarch64 only"
#endif

namespace standin {

namespace {

constexpr size_t guard = 4096;
constexpr size_t stacks_per_slab = 64;
constexpr size_t slab_size = stacks_per_slab * (Stacks::size + guard);

}  // namespace

void* prepare_stack(char* top, void (*entry)()) {
    uintptr_t end = reinterpret_cast<uintptr_t>(top) & ~uintptr_t{63};
#if defined(__x86_64__)
    void** frame = reinterpret_cast<void**>(end) - 9;  // the stack is aligned to 16 at the call in start
    for (int i = 0; i < 9; i++) {
        frame[i] = nullptr;
    }
    frame[4] = reinterpret_cast<void*>(entry);                // rbx
    frame[6] = reinterpret_cast<void*>(&sgpt_standin_start);  // return address
#else
    void** frame = reinterpret_cast<void**>(end) - 20;
    for (int i = 0; i < 20; i++) {
        frame[i] = nullptr;
    }
    frame[0] = reinterpret_cast<void*>(entry);                 // x19
    frame[11] = reinterpret_cast<void*>(&sgpt_standin_start);  // x30
#endif
    return frame;
}

Stacks::~Stacks() {
    for (char* slab : slabs_) {
        munmap(slab, slab_size);
    }
}

bool Stacks::grow() {
    void* slab = mmap(nullptr, slab_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (slab == MAP_FAILED) {
        return false;
    }
    char* base = static_cast<char*>(slab);
    for (size_t i = 0; i < stacks_per_slab; i++) {
        mprotect(base + i * (size + guard), guard, PROT_NONE);
    }
    slabs_.push_back(base);
    for (size_t i = stacks_per_slab; i-- > 0;) {
        // Different offsets within a page: otherwise all stack tops would share a few cache lines.
        size_t colour = (slabs_.size() * 7 + i) % 16 * 192;
        free_.push_back(base + (i + 1) * (size + guard) - colour);
    }
    return true;
}

char* Stacks::take() {
    if (free_.empty() && !grow()) {
        return nullptr;
    }
    char* top = free_.back();
    free_.pop_back();
    return top;
}

void Stacks::reset() {
    free_.clear();
    size_t number = 0;
    for (char* base : slabs_) {
        number++;
        for (size_t i = stacks_per_slab; i-- > 0;) {
            size_t colour = (number * 7 + i) % 16 * 192;
            free_.push_back(base + (i + 1) * (size + guard) - colour);
        }
    }
}

bool Stacks::contains(const void* address) const {
    const char* a = static_cast<const char*>(address);
    for (char* slab : slabs_) {
        if (a >= slab && a < slab + slab_size) {
            return true;
        }
    }
    return false;
}

}  // namespace standin
