// Threads, barriers, votes and shuffles. Lanes synchronise in the stand-in's scheduler. It reports a lane that never
// arrives although others wait for it, or arrives at a different operation, and a value read from a lane that provides
// none.
#pragma once

namespace standin {

#define SGPT_STANDIN_FIXED __attribute__((const, leaf, nothrow))
// Constant during the life of a thread, so the compiler may call them once.
unsigned thread_x() SGPT_STANDIN_FIXED;
unsigned thread_y() SGPT_STANDIN_FIXED;
unsigned thread_z() SGPT_STANDIN_FIXED;
unsigned block_x() SGPT_STANDIN_FIXED;
unsigned block_y() SGPT_STANDIN_FIXED;
unsigned block_z() SGPT_STANDIN_FIXED;
unsigned block_size_x() SGPT_STANDIN_FIXED;
unsigned block_size_y() SGPT_STANDIN_FIXED;
unsigned block_size_z() SGPT_STANDIN_FIXED;
unsigned grid_size_x() SGPT_STANDIN_FIXED;
unsigned grid_size_y() SGPT_STANDIN_FIXED;
unsigned grid_size_z() SGPT_STANDIN_FIXED;
unsigned lane() SGPT_STANDIN_FIXED;
/// Start of this block's dynamic shared memory, like `extern __shared__`: aligned to 16 bytes, which is all that CUDA
/// guarantees. Its bounds, initialisation and races are checked.
unsigned char* dynamic_shared() SGPT_STANDIN_FIXED;
unsigned dynamic_shared_size() SGPT_STANDIN_FIXED;
#undef SGPT_STANDIN_FIXED

inline void* shared() { return dynamic_shared(); }
inline uint3 thread_index() { return {thread_x(), thread_y(), thread_z()}; }
inline uint3 block_index() { return {block_x(), block_y(), block_z()}; }
inline dim3 block_size() { return {block_size_x(), block_size_y(), block_size_z()}; }
inline dim3 grid_size() { return {grid_size_x(), grid_size_y(), grid_size_z()}; }

enum class Combine { none, count, all, any };
enum class Shuffle { index, up, down, exclusive_or };
enum class Reduce { add, min, max, bit_and, bit_or, bit_xor };

/// `site` distinguishes barriers at different places in the source.
int barrier(unsigned site, Combine combine, int predicate);
void warp_barrier(unsigned mask);
unsigned ballot(unsigned mask, int predicate);
unsigned active_mask();
uint64_t shuffle(Shuffle kind, unsigned mask, uint64_t value, int operand, int width);
uint32_t reduce(Reduce kind, unsigned mask, uint32_t value, bool is_signed);
void fence();
[[noreturn]] void trap();
void named_barrier(unsigned site, int id, int count);

template <class T>
inline T shuffle_value(Shuffle kind, unsigned mask, T value, int operand, int width) {
    static_assert(sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8, "shuffled values have 2, 4 or 8 bytes");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof(T));
    bits = shuffle(kind, mask, bits, operand, width);
    memcpy(&value, &bits, sizeof(T));
    return value;
}

}  // namespace standin

#define threadIdx (standin::thread_index())
#define blockIdx (standin::block_index())
#define blockDim (standin::block_size())
#define gridDim (standin::grid_size())
#define warpSize 32

#define __syncthreads() ((void)standin::barrier(__LINE__, standin::Combine::none, 0))
#define __syncthreads_count(p) (standin::barrier(__LINE__, standin::Combine::count, (p) != 0))
#define __syncthreads_and(p) (standin::barrier(__LINE__, standin::Combine::all, (p) != 0))
#define __syncthreads_or(p) (standin::barrier(__LINE__, standin::Combine::any, (p) != 0))
#define __trap() (standin::trap())

inline void __syncwarp(unsigned mask = 0xffffffffu) { standin::warp_barrier(mask); }
inline void __threadfence() { standin::fence(); }
inline void __threadfence_block() { standin::fence(); }

inline unsigned __activemask() { return standin::active_mask(); }
inline unsigned __ballot_sync(unsigned mask, int p) { return standin::ballot(mask, p); }
inline int __any_sync(unsigned mask, int p) { return standin::ballot(mask, p) != 0; }
inline int __all_sync(unsigned mask, int p) { return standin::ballot(mask, !p) == 0; }

template <class T>
inline T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
    return standin::shuffle_value(standin::Shuffle::index, mask, value, source, width);
}
template <class T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
    return standin::shuffle_value(standin::Shuffle::up, mask, value, static_cast<int>(delta), width);
}
template <class T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
    return standin::shuffle_value(standin::Shuffle::down, mask, value, static_cast<int>(delta), width);
}
template <class T>
inline T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32) {
    return standin::shuffle_value(standin::Shuffle::exclusive_or, mask, value, lane_mask, width);
}

inline unsigned __reduce_add_sync(unsigned mask, unsigned v) {
    return standin::reduce(standin::Reduce::add, mask, v, false);
}
inline int __reduce_add_sync(unsigned mask, int v) {
    return static_cast<int>(standin::reduce(standin::Reduce::add, mask, static_cast<unsigned>(v), true));
}
inline unsigned __reduce_max_sync(unsigned mask, unsigned v) {
    return standin::reduce(standin::Reduce::max, mask, v, false);
}
inline int __reduce_max_sync(unsigned mask, int v) {
    return static_cast<int>(standin::reduce(standin::Reduce::max, mask, static_cast<unsigned>(v), true));
}
inline unsigned __reduce_min_sync(unsigned mask, unsigned v) {
    return standin::reduce(standin::Reduce::min, mask, v, false);
}
inline int __reduce_min_sync(unsigned mask, int v) {
    return static_cast<int>(standin::reduce(standin::Reduce::min, mask, static_cast<unsigned>(v), true));
}
inline unsigned __reduce_or_sync(unsigned mask, unsigned v) {
    return standin::reduce(standin::Reduce::bit_or, mask, v, false);
}
inline unsigned __reduce_and_sync(unsigned mask, unsigned v) {
    return standin::reduce(standin::Reduce::bit_and, mask, v, false);
}
