// Tests by name, and comparison with references in double precision.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace test {

// Maximum error of a result: absolute + relative · |expected|.
struct Tolerance {
    double absolute;
    double relative;
};

// Compares and reports the worst value; NaN is never close.
void expect_close(const std::string& what, const std::vector<double>& expected, const std::vector<double>& actual,
                  Tolerance tolerance);

void fail(const std::string& what);

// Registers a test to be run by main.
struct Test {
    Test(const char* name, std::function<void()> body);
};

#define SGPT_TEST(name)                                     \
    static void name();                                     \
    static const test::Test registered_##name(#name, name); \
    static void name()

// Numbers that are the same in every run (SplitMix64).
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    int below(int bound);
    bool flip() { return below(2) == 1; }
    double uniform();
    std::vector<double> normal(std::size_t count, double mean = 0, double deviation = 1);

private:
    std::uint64_t next();
    std::uint64_t state_;
};

std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

inline long long ceil_div(long long a, long long b) {
    return (a + b - 1) / b;
}

}  // namespace test
