// Atomics on global and shared memory: relaxed, like CUDA's. Each checks its address like a load and a store. An atomic
// and a plain access of another thread to the same place count as a race.
#pragma once

namespace standin {

/// The two halves of an atomic access, checked at the first.
void atomic_read(void* local, const void* address, unsigned size);
void atomic_write(void* address, const void* local, unsigned size);

// Threads of a block are fibers of one host thread, and blocks run one after another: nothing can run between the two.
template <class T, class F>
inline T atomic_update(T* address, F f) {
    T old;
    atomic_read(&old, address, sizeof(T));
    T changed = f(old);
    atomic_write(address, &changed, sizeof(T));
    return old;
}

}  // namespace standin

#define SGPT_STANDIN_ATOMIC(name, T, expression)                                      \
    inline T name(T* address, T value) {                                              \
        return standin::atomic_update(address, [&](T old) -> T { return expression; }); \
    }
#define SGPT_STANDIN_ATOMIC_INTEGERS(name, expression) \
    SGPT_STANDIN_ATOMIC(name, int, expression)         \
    SGPT_STANDIN_ATOMIC(name, unsigned int, expression) \
    SGPT_STANDIN_ATOMIC(name, unsigned long long, expression)

SGPT_STANDIN_ATOMIC_INTEGERS(atomicAdd, static_cast<decltype(old)>(old + value))
SGPT_STANDIN_ATOMIC(atomicAdd, float, old + value)
SGPT_STANDIN_ATOMIC(atomicAdd, double, old + value)
SGPT_STANDIN_ATOMIC(atomicSub, int, old - value)
SGPT_STANDIN_ATOMIC(atomicSub, unsigned int, old - value)
SGPT_STANDIN_ATOMIC_INTEGERS(atomicMax, old > value ? old : value)
SGPT_STANDIN_ATOMIC(atomicMax, long long, old > value ? old : value)
SGPT_STANDIN_ATOMIC_INTEGERS(atomicMin, old < value ? old : value)
SGPT_STANDIN_ATOMIC(atomicMin, long long, old < value ? old : value)
SGPT_STANDIN_ATOMIC_INTEGERS(atomicAnd, old & value)
SGPT_STANDIN_ATOMIC_INTEGERS(atomicOr, old | value)
SGPT_STANDIN_ATOMIC_INTEGERS(atomicXor, old ^ value)
SGPT_STANDIN_ATOMIC_INTEGERS(atomicExch, ((void)old, value))
SGPT_STANDIN_ATOMIC(atomicExch, float, ((void)old, value))

template <class T>
inline T atomicCAS(T* address, T compare, T value) {
    return standin::atomic_update(address, [&](T old) -> T { return old == compare ? value : old; });
}
