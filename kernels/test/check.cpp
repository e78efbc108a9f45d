#include "check.h"

#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <exception>

#include "device.h"

namespace test {

namespace {

struct Named {
    const char* name;
    std::function<void()> body;
};

std::vector<Named>& tests() {
    static std::vector<Named> all;
    return all;
}

int failures = 0;
int comparisons = 0;

}  // namespace

Test::Test(const char* name, std::function<void()> body) {
    tests().push_back({name, std::move(body)});
}

void fail(const std::string& what) {
    failures++;
    std::fprintf(stderr, "FAILED %s\n", what.c_str());
}

void expect_close(const std::string& what, const std::vector<double>& expected, const std::vector<double>& actual,
                  Tolerance tolerance) {
    comparisons++;
    if (expected.size() != actual.size()) {
        fail(format("%s: expected %zu values, got %zu", what.c_str(), expected.size(), actual.size()));
        return;
    }
    std::size_t wrong = 0;
    std::size_t worst = 0;
    double excess = -1;
    for (std::size_t i = 0; i < expected.size(); i++) {
        const double allowed = tolerance.absolute + tolerance.relative * std::fabs(expected[i]);
        double off = std::fabs(actual[i] - expected[i]) - allowed;
        if (std::isinf(expected[i]) && actual[i] == expected[i]) {
            continue;
        }
        if (!(off <= 0)) {
            wrong++;
            off = std::isnan(off) ? INFINITY : off;
            if (off > excess) {
                excess = off;
                worst = i;
            }
        }
    }
    if (wrong > 0) {
        fail(format("%s: %zu of %zu values off; worst at %zu: expected %.9g, got %.9g", what.c_str(), wrong,
                    expected.size(), worst, expected[worst], actual[worst]));
    }
}

std::uint64_t Random::next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

int Random::below(int bound) {
    return static_cast<int>(next() % static_cast<std::uint64_t>(bound));
}

double Random::uniform() {
    return static_cast<double>(next() >> 11) * 0x1p-53;
}

std::vector<double> Random::normal(std::size_t count, double mean, double deviation) {
    std::vector<double> values(count);
    for (double& value : values) {
        // Box and Muller
        value = mean + deviation * std::sqrt(-2 * std::log(1 - uniform())) * std::cos(6.283185307179586 * uniform());
    }
    return values;
}

std::string format(const char* pattern, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, pattern);
    std::vsnprintf(text, sizeof text, pattern, arguments);
    va_end(arguments);
    return text;
}

}  // namespace test

// kernels LIBRARIES FATBIN|- SOURCES [NAME…]: runs all tests, or those whose names begin with one of the given names.
int main(int count, char** arguments) {
    using namespace test;
    if (count < 4) {
        std::fprintf(stderr, "usage: %s LIBRARIES FATBIN|- SOURCES [NAME...]\n", arguments[0]);
        return 2;
    }
    try {
        const std::string fatbin = std::strcmp(arguments[2], "-") == 0 ? "" : arguments[2];
        Device device(arguments[1], fatbin, arguments[3]);
        int run = 0;
        for (const Named& test : tests()) {
            bool wanted = count == 4;
            for (int i = 4; i < count; i++) {
                wanted |= std::strncmp(test.name, arguments[i], std::strlen(arguments[i])) == 0;
            }
            if (!wanted) {
                continue;
            }
            run++;
            try {
                test.body();
            } catch (const std::exception& e) {
                fail(format("%s: %s", test.name, e.what()));
                break;  // the device is unusable after an error
            }
        }
        std::printf("kernels: %d tests, %d comparisons, %d failures on %s (%d)\n", run, comparisons, failures,
                    device.name().c_str(), device.capability());
    } catch (const std::exception& e) {
        std::fprintf(stderr, "kernels: %s\n", e.what());
        return 1;
    }
    return failures == 0 ? 0 : 1;
}
