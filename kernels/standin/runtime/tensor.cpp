// ldmatrix and mma.sync, with the lane layouts of the PTX manual ("Matrix fragments for mma" and "ldmatrix").
#include <cstring>

#include "block.h"
#include "memory.h"

namespace standin {

namespace {

void ldmatrix_work(TensorLane* const* lanes) {
    int count = lanes[0]->count;
    bool transposed = lanes[0]->transposed;
    uint16_t rows[4][8][8];
    for (int m = 0; m < count; m++) {
        for (int row = 0; row < 8; row++) {
            memcpy(rows[m][row], lanes[m * 8 + row]->a, 16);
        }
    }
    for (int lane = 0; lane < 32; lane++) {
        uint32_t* result = static_cast<uint32_t*>(lanes[lane]->result);
        int i = lane / 4;
        int j = lane % 4 * 2;
        for (int m = 0; m < count; m++) {
            uint32_t low = transposed ? rows[m][j][i] : rows[m][i][j];
            uint32_t high = transposed ? rows[m][j + 1][i] : rows[m][i][j + 1];
            result[m] = low | high << 16;
        }
    }
}

float from_bf16(uint32_t bits) { return bfloat16_to_float(static_cast<uint16_t>(bits)); }
float from_f16(uint32_t bits) { return half_to_float(static_cast<uint16_t>(bits)); }

/// d[16][8] = a[16][k] b[k][8] + c[16][8]
template <int k>
__attribute__((optimize("O3"))) void multiply(TensorLane* const* lanes, const float (&a)[16][k],
                                              const float (&b)[k][8]) {
    double d[16][8];
    for (int lane = 0; lane < 32; lane++) {
        const float* c = static_cast<const float*>(lanes[lane]->c);
        int row = lane / 4;
        int column = lane % 4 * 2;
        d[row][column] = c[0];
        d[row][column + 1] = c[1];
        d[row + 8][column] = c[2];
        d[row + 8][column + 1] = c[3];
    }
    for (int i = 0; i < 16; i++) {
        for (int l = 0; l < k; l++) {
            double factor = a[i][l];
            for (int j = 0; j < 8; j++) {
                d[i][j] += factor * b[l][j];
            }
        }
    }
    for (int lane = 0; lane < 32; lane++) {
        float* result = static_cast<float*>(lanes[lane]->result);
        int row = lane / 4;
        int column = lane % 4 * 2;
        result[0] = static_cast<float>(d[row][column]);
        result[1] = static_cast<float>(d[row][column + 1]);
        result[2] = static_cast<float>(d[row + 8][column]);
        result[3] = static_cast<float>(d[row + 8][column + 1]);
    }
}

/// 16-bit operands: register 2q + h of a holds row g + 8h, columns 8q + 2t and +1; register q of b rows 8q + 2t and +1
/// of column g, with g = lane / 4 and t = lane % 4.
template <int k, float (*convert)(uint32_t)>
void mma16_work(TensorLane* const* lanes) {
    float a[16][k];
    float b[k][8];
    for (int lane = 0; lane < 32; lane++) {
        const uint32_t* ra = static_cast<const uint32_t*>(lanes[lane]->a);
        const uint32_t* rb = static_cast<const uint32_t*>(lanes[lane]->b);
        int g = lane / 4;
        int t = lane % 4;
        for (int q = 0; q < k / 8; q++) {
            int column = 8 * q + 2 * t;
            for (int h = 0; h < 2; h++) {
                a[g + 8 * h][column] = convert(ra[2 * q + h] & 0xffff);
                a[g + 8 * h][column + 1] = convert(ra[2 * q + h] >> 16);
            }
            b[column][g] = convert(rb[q] & 0xffff);
            b[column + 1][g] = convert(rb[q] >> 16);
        }
    }
    multiply<k>(lanes, a, b);
}

/// tf32 operands: register 2q + h of a holds row g + 8h, column 4q + t; register q of b row 4q + t of column g.
template <int k>
void mma32_work(TensorLane* const* lanes) {
    float a[16][k];
    float b[k][8];
    auto convert = [](uint32_t bits) { return same_bits<float>(bits & 0xffffe000u); };
    for (int lane = 0; lane < 32; lane++) {
        const uint32_t* ra = static_cast<const uint32_t*>(lanes[lane]->a);
        const uint32_t* rb = static_cast<const uint32_t*>(lanes[lane]->b);
        int g = lane / 4;
        int t = lane % 4;
        for (int q = 0; q < k / 4; q++) {
            a[g][4 * q + t] = convert(ra[2 * q]);
            a[g + 8][4 * q + t] = convert(ra[2 * q + 1]);
            b[4 * q + t][g] = convert(rb[q]);
        }
    }
    multiply<k>(lanes, a, b);
}

void need_capability(int least, const char* what, const void* place) {
    if (compute_capability() < least) {
        fail(current, error_illegal_instruction,
             std::string(what) + " needs compute capability " + std::to_string(least) + ", this device has " +
                 std::to_string(compute_capability()),
             place);
    }
}

}  // namespace

void ldmatrix(uint32_t* result, const void* row, int count, bool transposed) {
    const void* place = __builtin_return_address(0);
    Fiber* self = current;
    if (self->lane < 8u * static_cast<unsigned>(count)) {
        uintptr_t address = reinterpret_cast<uintptr_t>(row);
        uintptr_t window = self->block->shared;
        if (address + 65536 < window || address >= window + Memory::shared_room) {
            fail(self, error_illegal_address, "ldmatrix from something else than shared memory", place);
        }
        if (address % 16 != 0) {
            fail(self, error_misaligned_address,
                 "misaligned ldmatrix row at shared memory offset " + std::to_string(address - window), place);
        }
        checked_read(row, 16, place);
    }
    TensorLane lane = {ldmatrix_work, result, row, nullptr, nullptr, count, transposed};
    meet_for_tensor(true, count * 2 + (transposed ? 1 : 0), &lane, place);
}

void mma_m16n8k16_bf16(float* d, const uint32_t* a, const uint32_t* b, const float* c) {
    need_capability(80, "mma.m16n8k16 with bf16", __builtin_return_address(0));
    TensorLane lane = {mma16_work<16, from_bf16>, d, a, b, c, 0, false};
    meet_for_tensor(false, 0, &lane, __builtin_return_address(0));
}

void mma_m16n8k16_f16(float* d, const uint32_t* a, const uint32_t* b, const float* c) {
    need_capability(80, "mma.m16n8k16 with f16", __builtin_return_address(0));
    TensorLane lane = {mma16_work<16, from_f16>, d, a, b, c, 0, false};
    meet_for_tensor(false, 1, &lane, __builtin_return_address(0));
}

void mma_m16n8k8_bf16(float* d, const uint32_t* a, const uint32_t* b, const float* c) {
    need_capability(80, "mma.m16n8k8 with bf16", __builtin_return_address(0));
    TensorLane lane = {mma16_work<8, from_bf16>, d, a, b, c, 0, false};
    meet_for_tensor(false, 2, &lane, __builtin_return_address(0));
}

void mma_m16n8k8_f16(float* d, const uint32_t* a, const uint32_t* b, const float* c) {
    need_capability(75, "mma.m16n8k8 with f16", __builtin_return_address(0));
    TensorLane lane = {mma16_work<8, from_f16>, d, a, b, c, 0, false};
    meet_for_tensor(false, 3, &lane, __builtin_return_address(0));
}

void mma_m16n8k8_tf32(float* d, const uint32_t* a, const uint32_t* b, const float* c) {
    need_capability(80, "mma.m16n8k8 with tf32", __builtin_return_address(0));
    TensorLane lane = {mma32_work<8>, d, a, b, c, 0, false};
    meet_for_tensor(false, 4, &lane, __builtin_return_address(0));
}

void mma_m16n8k4_tf32(float* d, const uint32_t* a, const uint32_t* b, const float* c) {
    need_capability(80, "mma.m16n8k4 with tf32", __builtin_return_address(0));
    TensorLane lane = {mma32_work<4>, d, a, b, c, 0, false};
    meet_for_tensor(false, 5, &lane, __builtin_return_address(0));
}

}  // namespace standin
