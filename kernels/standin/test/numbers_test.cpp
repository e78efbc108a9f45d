// Conversions compared with doubles: every 16-bit value, and every point where the rounding direction changes.
#include <cmath>
#include <limits>

#include "../emulation.h"
#include "harness.h"

namespace {

double half_value(uint16_t bits) {
    int exponent = bits >> 10 & 31;
    int mantissa = bits & 1023;
    double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
    if (exponent == 31) {
        return mantissa != 0 ? NAN : sign * INFINITY;
    }
    return sign * (exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25));
}

double bfloat_value(uint16_t bits) {
    int exponent = bits >> 7 & 255;
    int mantissa = bits & 127;
    double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
    if (exponent == 255) {
        return mantissa != 0 ? NAN : sign * INFINITY;
    }
    return sign * (exponent == 0 ? std::ldexp(mantissa, -133) : std::ldexp(128 + mantissa, exponent - 134));
}

/// `narrow`, being monotonic, is correct if it is correct at every value, at every midpoint and just beside it.
void check_type(double (*value)(uint16_t), float (*widen)(uint16_t), uint16_t (*narrow)(float), uint16_t infinity) {
    int wrong = 0;
    for (uint32_t i = 0; i <= 0xffff; i++) {
        uint16_t bits = static_cast<uint16_t>(i);
        double exact = value(bits);
        float wide = widen(bits);
        if (std::isnan(exact)) {
            wrong += std::isnan(wide) && narrow(wide) == 0x7fff ? 0 : 1;
            continue;
        }
        wrong += static_cast<double>(wide) == exact && std::signbit(wide) == std::signbit(exact) ? 0 : 1;
        wrong += narrow(wide) == bits ? 0 : 1;
        uint16_t magnitude = bits & 0x7fff;
        if (magnitude >= infinity) {
            continue;
        }
        uint16_t next = static_cast<uint16_t>(bits + 1);
        double step = std::fabs(value(static_cast<uint16_t>(magnitude > 0 ? magnitude - 1 : 1)) -
                                value(magnitude));  // for the last finite value the one below is as far
        double upper = (next & 0x7fff) == infinity ? std::fabs(exact) + step : std::fabs(value(next));
        double middle = std::copysign((std::fabs(exact) + upper) / 2, exact);
        float tie = static_cast<float>(middle);
        CHECK(static_cast<double>(tie) == middle);
        wrong += narrow(tie) == (bits % 2 == 0 ? bits : next) ? 0 : 1;
        wrong += narrow(std::nextafter(tie, 0.0f)) == bits ? 0 : 1;
        wrong += narrow(std::nextafter(tie, std::copysign(INFINITY, tie))) == next ? 0 : 1;
    }
    SAME(0, wrong);
    SAME(static_cast<int>(infinity), static_cast<int>(narrow(std::numeric_limits<float>::max())));
}

void tf32() {
    // Ten bits of mantissa; ties round away from zero.
    SAME(1.0f, standin::float_to_tf32(1.0f + 0x1p-12f));
    SAME(1.0f + 0x1p-10f, standin::float_to_tf32(1.0f + 0x1p-11f));
    SAME(-1.0f - 0x1p-10f, standin::float_to_tf32(-1.0f - 0x1p-11f));
    SAME(1.0f, standin::float_to_tf32(std::nextafter(1.0f + 0x1p-11f, 0.0f)));
    CHECK(std::isnan(standin::float_to_tf32(NAN)));
}

double e4m3_value(int bits) {
    int exponent = bits >> 3 & 15;
    int mantissa = bits & 7;
    double sign = (bits & 0x80) != 0 ? -1.0 : 1.0;
    return sign * (exponent == 0 ? std::ldexp(mantissa, -9) : std::ldexp(8 + mantissa, exponent - 10));
}

/// Every pattern, and every point where the rounding direction changes.
void e4m3() {
    int wrong = 0;
    for (int bits = 0; bits <= 0xff; bits++) {
        float wide = standin::e4m3_to_float(static_cast<uint8_t>(bits));
        if ((bits & 0x7f) == 0x7f) {
            wrong += std::isnan(wide) && standin::float_to_e4m3(wide) == 0x7f ? 0 : 1;
            continue;
        }
        double exact = e4m3_value(bits);
        wrong += static_cast<double>(wide) == exact && std::signbit(wide) == std::signbit(exact) ? 0 : 1;
        wrong += standin::float_to_e4m3(wide) == bits ? 0 : 1;
        if ((bits & 0x7f) == 0x7e) {
            continue;
        }
        float tie = static_cast<float>((exact + e4m3_value(bits + 1)) / 2);
        wrong += standin::float_to_e4m3(tie) == (bits % 2 == 0 ? bits : bits + 1) ? 0 : 1;
        wrong += standin::float_to_e4m3(std::nextafter(tie, 0.0f)) == bits ? 0 : 1;
        wrong += standin::float_to_e4m3(std::nextafter(tie, std::copysign(INFINITY, tie))) == bits + 1 ? 0 : 1;
    }
    SAME(0, wrong);
    for (float large : {448.5f, 464.0f, 1e30f, INFINITY}) {
        SAME(0x7e, static_cast<int>(standin::float_to_e4m3(large)));
        SAME(0xfe, static_cast<int>(standin::float_to_e4m3(-large)));
    }
    SAME(0x387e, static_cast<int>(standin::cvt_e4m3x2(1.0f, 448.0f)));
}

}  // namespace

void test_numbers() {
    check_type(half_value, standin::half_to_float, standin::float_to_half, 0x7c00);
    check_type(bfloat_value, standin::bfloat16_to_float, standin::float_to_bfloat16, 0x7f80);
    tf32();
    e4m3();
    SAME(0x3c00, static_cast<int>(__half(1.0f).__x));
    SAME(2.5f, __bfloat162float(__float2bfloat16(2.5f)));
    SAME(3, __clz(0x10000000));
    SAME(0x12345678u, __byte_perm(0x12345678u, 0, 0x3210));
    SAME(0x78563412u, __byte_perm(0x12345678u, 0, 0x0123));
}
