// e4m3 ("OCP 8-bit floating point", fn): sign, 4 bits of exponent with bias 7, 3 of mantissa; no infinity, 0x7f is NaN.
#pragma once

namespace standin {

inline float e4m3_to_float(uint8_t value) {
    const int exponent = value >> 3 & 15;
    const int mantissa = value & 7;
    if (exponent == 15 && mantissa == 7) {
        return NAN;
    }
    const float magnitude = exponent == 0 ? ldexpf(static_cast<float>(mantissa), -9)
                                          : ldexpf(static_cast<float>(8 + mantissa), exponent - 10);
    return (value & 0x80) != 0 ? -magnitude : magnitude;
}

/// cvt.rn.satfinite: to nearest even, beyond 448 to 448, NaN to 0x7f. By search among the 127 magnitudes, so that it
/// shares nothing with the kernels' own conversion.
inline uint8_t float_to_e4m3(float value) {
    if (std::isnan(value)) {
        return 0x7f;
    }
    const uint8_t sign = std::signbit(value) ? 0x80 : 0;
    const float magnitude = fabsf(value);
    if (magnitude >= 448.0f) {
        return sign | 0x7e;
    }
    int low = 0;
    int high = 0x7e;
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        (e4m3_to_float(static_cast<uint8_t>(middle)) <= magnitude ? low : high) = middle;
    }
    const float below = magnitude - e4m3_to_float(static_cast<uint8_t>(low));
    const float above = e4m3_to_float(static_cast<uint8_t>(high)) - magnitude;
    const bool up = above < below || (above == below && low % 2 == 1);
    return sign | static_cast<uint8_t>(up ? high : low);
}

/// cvt.rn.satfinite.e4m3x2.f32 d, a, b: `a` goes to the upper byte.
inline uint16_t cvt_e4m3x2(float a, float b) {
    return static_cast<uint16_t>(float_to_e4m3(a) << 8 | float_to_e4m3(b));
}

}  // namespace standin
