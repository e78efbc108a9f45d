// Correct kernels under twenty orders: right results, no reports.
#include <cmath>
#include <numeric>

#include "harness.h"
#include "../emulation.h"

#undef threadIdx

namespace {

void simple(Session& s) {
    std::vector<float> x(1000);
    std::iota(x.begin(), x.end(), 0.0f);
    uint64_t dx = s.upload(x);
    uint64_t dy = s.memory(4000);
    SAME(0, s.launch("ok_scale", 4, 256, 0, dx, dy, 1000, 2.0f));
    std::vector<float> y = s.download<float>(dy, 1000);
    for (int i = 0; i < 1000; i++) {
        CHECK(y[static_cast<size_t>(i)] == 2.0f * static_cast<float>(i));
    }
    uint64_t total = s.upload(std::vector<float>{0.0f});
    SAME(0, s.launch("ok_sum", 3, 128, 16, dx, total, 1000));
    SAME(499500.0f, s.download<float>(total, 1)[0]);
}

void exchanges(Session& s) {
    std::vector<int> x(96);
    std::iota(x.begin(), x.end(), 100);
    uint64_t dx = s.upload(x);
    uint64_t dy = s.memory(96 * 4);
    SAME(0, s.launch("ok_warp_reverse", 1, 96, 96 * 4, dx, dy));
    std::vector<int> y = s.download<int>(dy, 96);
    for (int i = 0; i < 96; i++) {
        SAME(100 + (i ^ 31) + 2, y[static_cast<size_t>(i)]);
    }
    SAME(0, s.launch("ok_rounds", 1, 96, 96 * 4, dx, dy, 50));
    y = s.download<int>(dy, 96);
    for (int i = 0; i < 96; i++) {
        SAME(100 + (i + 50) % 96, y[static_cast<size_t>(i)]);
    }
}

void halves(Session& s) {
    std::vector<float> x(400);
    for (size_t i = 0; i < x.size(); i++) {
        x[i] = static_cast<float>(i) * 0.37f - 20.0f;
    }
    uint64_t dx = s.upload(x);
    uint64_t b = s.memory(800);
    uint64_t h = s.memory(800);
    SAME(0, s.launch("ok_halves", 2, 64, 0, dx, b, h, 100));
    std::vector<uint16_t> rb = s.download<uint16_t>(b, 400);
    std::vector<uint16_t> rh = s.download<uint16_t>(h, 400);
    for (size_t i = 0; i < 100; i++) {
        for (size_t j = 0; j < 4; j++) {
            CHECK(rb[j * 100 + i] == standin::float_to_bfloat16(x[4 * i + j]));
            CHECK(rh[j * 100 + i] == standin::float_to_half(x[4 * i + j]));
        }
    }
}

void product(Session& s) {
    constexpr size_t k = 80;
    std::vector<uint16_t> a(16 * k);
    std::vector<uint16_t> b(8 * k);
    for (size_t i = 0; i < a.size(); i++) {
        a[i] = standin::float_to_bfloat16(std::sin(static_cast<float>(i)));
    }
    for (size_t i = 0; i < b.size(); i++) {
        b[i] = standin::float_to_bfloat16(std::cos(static_cast<float>(3 * i)));
    }
    uint64_t c = s.memory(16 * 8 * 4);
    SAME(0, s.launch("ok_tensor_product", 1, 32, 2 * 24 * 24 * 2, s.upload(a), s.upload(b), c, static_cast<int>(k)));
    std::vector<float> r = s.download<float>(c, 128);
    for (size_t i = 0; i < 16; i++) {
        for (size_t j = 0; j < 8; j++) {
            double sum = 0;
            for (size_t l = 0; l < k; l++) {
                sum += static_cast<double>(standin::bfloat16_to_float(a[i * k + l])) *
                       static_cast<double>(standin::bfloat16_to_float(b[j * k + l]));
            }
            CHECK(std::fabs(sum - static_cast<double>(r[i * 8 + j])) < 1e-5);
        }
    }
}

void votes(Session& s) {
    uint64_t out = s.memory(64 * 8 * 4);
    SAME(0, s.launch("ok_votes", 1, 64, 0, out));
    std::vector<unsigned> r = s.download<unsigned>(out, 64 * 8);
    for (unsigned t = 0; t < 64; t++) {
        const unsigned* mine = &r[t * 8];
        unsigned warp = t / 32 * 32;
        unsigned ballot = 0;
        unsigned sum = 0;
        for (unsigned l = 0; l < 32; l++) {
            ballot |= (warp + l) % 3 == 0 ? 1u << l : 0;
            sum += warp + l;
        }
        SAME(ballot, mine[0]);
        SAME(warp + 5, mine[1]);
        SAME(t % 32 < 3 ? t : t - 3, mine[2]);
        SAME(t % 16 > 12 ? t : t + 3, mine[3]);
        SAME(warp == 32 ? 2u : 1u, mine[4]);
        SAME(sum, mine[5]);
        SAME(32u, mine[6]);
        SAME(t ^ 1, mine[7]);
    }
    uint64_t few = s.memory(13 * 4);
    SAME(0, s.launch("ok_partial_warp", 1, 32, 0, 13, few));
    for (int value : s.download<int>(few, 13)) {
        SAME(13, value);
    }
}

void counts(Session& s) {
    std::vector<int> x(1000);
    std::vector<unsigned> expected(20);
    for (size_t i = 0; i < x.size(); i++) {
        x[i] = static_cast<int>(i * i % 20);
        expected[static_cast<size_t>(x[i])]++;
    }
    uint64_t bins = s.upload(std::vector<unsigned>(20));
    SAME(0, s.launch("ok_histogram", 4, 256, 80, s.upload(x), 1000, bins, 20));
    CHECK(s.download<unsigned>(bins, 20) == expected);
    uint64_t out = s.memory(1024 * 4);
    SAME(0, s.launch("ok_local", 1, 1024, 0, out));
    SAME(31 * 31, s.download<int>(out, 1024)[31]);
}

}  // namespace

void test_correct() {
    unsigned long before = sgpt_standin_report_count();
    for (int order = 0; order < 20; order++) {
        Session s(order);
        simple(s);
        exchanges(s);
        halves(s);
        product(s);
        votes(s);
        counts(s);
    }
    SAME(before, sgpt_standin_report_count());
}
