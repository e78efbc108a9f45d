// Matrix fragments compared with the tables of the PTX manual: row and column of element i of lane l for each operand.
#include <cmath>
#include <cstring>

#include "../emulation.h"
#include "harness.h"

namespace {

struct Shape {
    const char* name;
    int k;
    bool bits16;
    bool bf16;
};

// In the order of ok_mma's cases.
const Shape shapes[] = {{"m16n8k16 bf16", 16, true, true}, {"m16n8k16 f16", 16, true, false},
                        {"m16n8k8 bf16", 8, true, true},   {"m16n8k8 f16", 8, true, false},
                        {"m16n8k8 tf32", 8, false, false}, {"m16n8k4 tf32", 4, false, false}};

/// Element i of A held by a lane, in the manual's notation ("groupID" and "threadID_in_group").
void element_of_a(const Shape& s, int lane, int i, int* row, int* column) {
    int group = lane >> 2;
    int thread = lane % 4;
    if (s.bits16) {
        // m16n8k16: a0,a1 a4,a5 in the upper half; m16n8k8: a0,a1.
        *row = i < 2 || (i >= 4 && i < 6) ? group : group + 8;
        *column = thread * 2 + (i & 1) + (i >= 4 ? 8 : 0);
    } else {
        // m16n8k8: a0 and a2; m16n8k4: a0.
        *row = i == 0 || i == 2 ? group : group + 8;
        *column = i < 2 ? thread : thread + 4;
    }
}

void element_of_b(const Shape& s, int lane, int i, int* row, int* column) {
    int group = lane >> 2;
    int thread = lane % 4;
    *column = group;
    *row = s.bits16 ? thread * 2 + (i & 1) + (i >= 2 ? 8 : 0) : (i == 0 ? thread : thread + 4);
}

uint32_t encoded(const Shape& s, float value) {
    if (!s.bits16) {
        return standin::same_bits<uint32_t>(value);
    }
    return s.bf16 ? standin::float_to_bfloat16(value) : standin::float_to_half(value);
}

void put(const Shape& s, std::vector<uint32_t>* registers, int lane, int per_lane, int i, float value) {
    uint32_t bits = encoded(s, value);
    int index = s.bits16 ? i / 2 : i;
    (*registers)[static_cast<size_t>(lane * per_lane + index)] |= s.bits16 && i % 2 == 1 ? bits << 16 : bits;
}

void products(Session& session) {
    for (int which = 0; which < 6; which++) {
        const Shape& s = shapes[which];
        float a[16][16];
        float b[16][8];
        for (int r = 0; r < 16; r++) {
            for (int l = 0; l < s.k; l++) {
                a[r][l] = static_cast<float>((r * 7 + l * 3) % 23 - 11);
            }
        }
        for (int l = 0; l < s.k; l++) {
            for (int j = 0; j < 8; j++) {
                b[l][j] = static_cast<float>((l * 5 + j * 11) % 19 - 9) / 8.0f;
            }
        }
        std::vector<uint32_t> ra(32 * 4);
        std::vector<uint32_t> rb(32 * 2);
        std::vector<float> rc(32 * 4);
        int elements_a = 16 * s.k / 32;
        int elements_b = 8 * s.k / 32;
        for (int lane = 0; lane < 32; lane++) {
            int row = 0;
            int column = 0;
            for (int i = 0; i < elements_a; i++) {
                element_of_a(s, lane, i, &row, &column);
                put(s, &ra, lane, 4, i, a[row][column]);
            }
            for (int i = 0; i < elements_b; i++) {
                element_of_b(s, lane, i, &row, &column);
                put(s, &rb, lane, 2, i, b[row][column]);
            }
            for (int i = 0; i < 4; i++) {
                rc[static_cast<size_t>(lane * 4 + i)] = static_cast<float>(lane * 4 + i);
            }
        }
        uint64_t d = session.memory(32 * 4 * 4);
        uint64_t da = session.upload(ra);
        uint64_t db = session.upload(rb);
        uint64_t dc = session.upload(rc);
        SAME(0, session.launch("ok_mma", 1, 32, 0, which, da, db, dc, d));
        std::vector<float> rd = session.download<float>(d, 128);
        int wrong = 0;
        for (int lane = 0; lane < 32; lane++) {
            for (int i = 0; i < 4; i++) {
                int row = (lane >> 2) + (i < 2 ? 0 : 8);
                int column = lane % 4 * 2 + (i & 1);
                float expected = static_cast<float>(lane * 4 + i);
                for (int l = 0; l < s.k; l++) {
                    expected += a[row][l] * b[l][column];  // exact: small numbers
                }
                wrong += expected == rd[static_cast<size_t>(lane * 4 + i)] ? 0 : 1;
            }
        }
        if (wrong != 0) {
            printf("  %s\n", s.name);
        }
        SAME(0, wrong);
    }
}

void loads(Session& s) {
    for (int count : {1, 2, 4}) {
        for (int transposed : {0, 1}) {
            uint64_t out = s.upload(std::vector<uint32_t>(128));
            SAME(0, s.launch("ok_ldmatrix", 1, 32, 512, count, transposed, out));
            std::vector<uint32_t> r = s.download<uint32_t>(out, 128);
            for (int lane = 0; lane < 32; lane++) {
                for (int m = 0; m < count; m++) {
                    // Matrix m has the numbers 64 m + 8 row + column.
                    int row = lane / 4;
                    int column = lane % 4 * 2;
                    int low = 64 * m + (transposed != 0 ? 8 * column + row : 8 * row + column);
                    int high = low + (transposed != 0 ? 8 : 1);
                    SAME(static_cast<uint32_t>(low | high << 16), r[static_cast<size_t>(lane * 4 + m)]);
                }
            }
        }
    }
}

}  // namespace

void test_matrices() {
    for (int order = 0; order < 20; order++) {
        Session s(order);
        products(s);
        loads(s);
    }
    option("SGPT_STANDIN_CC", "75");
    {
        Session s;
        uint64_t a = s.upload(std::vector<uint32_t>(128));
        uint64_t b = s.upload(std::vector<uint32_t>(64));
        uint64_t c = s.upload(std::vector<float>(128));
        SAME(0, s.launch("ok_mma", 1, 32, 0, 3, a, b, c, s.memory(512)));
        SAME(715, s.launch("ok_mma", 1, 32, 0, 0, a, b, c, s.memory(512)));
        REPORTED("needs compute capability 80");
    }
    option("SGPT_STANDIN_CC", "");
}
