// Operations that device code writes as inline PTX: asynchronous copies, matrix fragments. Names follow PTX.
#pragma once

namespace standin {

/// cp.async.ca/.cg.shared.global: copies `size` (4, 8 or 16) bytes, of which all after the first `source_size` become
/// zero. Both addresses are aligned to `size`. The bytes arrive as late as PTX allows: at this thread's wait. Other
/// threads may read them only after a barrier that follows the wait. An earlier read is reported.
void copy_async(void* shared, const void* global, int size, int source_size);
inline void copy_async(void* shared, const void* global, int size) { copy_async(shared, global, size, size); }
/// cp.async.commit_group
void copy_async_commit();
/// cp.async.wait_group n: all but this thread's last n groups have arrived.
void copy_async_wait(int pending_groups);
/// cp.async.wait_all
void copy_async_wait_all();

/// ldmatrix.sync.aligned.m8n8.xN(.trans).shared.b16: lane i of each group of eight gives the address of row i of matrix
/// group (16 bytes, aligned to 16); lanes 8 * count and above may give anything. result[m] holds two elements of
/// matrix m: row lane/4, columns 2*(lane%4) and +1; transposed: rows 2*(lane%4) and +1, column lane/4.
void ldmatrix(uint32_t* result, const void* row, int count, bool transposed);
inline void ldmatrix_x1(uint32_t* result, const void* row, bool transposed = false) {
    ldmatrix(result, row, 1, transposed);
}
inline void ldmatrix_x2(uint32_t* result, const void* row, bool transposed = false) {
    ldmatrix(result, row, 2, transposed);
}
inline void ldmatrix_x4(uint32_t* result, const void* row, bool transposed = false) {
    ldmatrix(result, row, 4, transposed);
}

/// mma.sync.aligned.mMnNkK.row.col.f32.T.T.f32: d = a * b + c, products exact, sums in double, rounded once.
/// d and c may be the same array. Register order and lane layout as in the PTX manual.
void mma_m16n8k16_bf16(float* d, const uint32_t* a, const uint32_t* b, const float* c);
void mma_m16n8k16_f16(float* d, const uint32_t* a, const uint32_t* b, const float* c);
void mma_m16n8k8_bf16(float* d, const uint32_t* a, const uint32_t* b, const float* c);
void mma_m16n8k8_f16(float* d, const uint32_t* a, const uint32_t* b, const float* c);
/// Reads the upper 19 bits of each operand, as the hardware does.
void mma_m16n8k8_tf32(float* d, const uint32_t* a, const uint32_t* b, const float* c);
void mma_m16n8k4_tf32(float* d, const uint32_t* a, const uint32_t* b, const float* c);

// The same with fragments as arrays and b's two registers as separate arguments.
inline void ldmatrix_x4_trans(uint32_t (&result)[4], const void* row) { ldmatrix(result, row, 4, true); }
inline void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    const uint32_t b[2] = {b0, b1};
    mma_m16n8k16_bf16(d, a, b, d);
}
inline void mma_m16n8k16_f16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    const uint32_t b[2] = {b0, b1};
    mma_m16n8k16_f16(d, a, b, d);
}
inline void mma_m16n8k8_f16(float (&d)[4], const uint32_t (&a)[2], uint32_t b0) { mma_m16n8k8_f16(d, a, &b0, d); }
inline void copy_async16(void* shared, const void* global, int source_size) {
    copy_async(shared, global, 16, source_size);
}

/// One access of 16 or 8 bytes to global or shared memory at `from` or `to`, aligned to its size; the other side is
/// local.
void load16(void* local, const void* from);
void load8(void* local, const void* from);
void store16(void* to, const void* local);
void store8(void* to, const void* local);

/// The device's compute capability, 10 * major + minor: what `__CUDA_ARCH__ / 10` would be.
int compute_capability();

}  // namespace standin
