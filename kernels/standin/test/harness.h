// Helpers around the driver's calls for the stand-in's own tests.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "../driver/api.h"
#include "../driver/services.h"

extern int failures;

#define CHECK(condition)                                                         \
    do {                                                                         \
        if (!(condition)) {                                                      \
            failures++;                                                          \
            printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);     \
        }                                                                        \
    } while (0)

#define SAME(expected, actual)                                                                                    \
    do {                                                                                                          \
        auto expected_ = (expected);                                                                              \
        auto actual_ = (actual);                                                                                  \
        if (!(expected_ == actual_)) {                                                                            \
            failures++;                                                                                           \
            printf("%s:%d: %s is %s, not %s\n%s\n", __FILE__, __LINE__, #actual, std::to_string(actual_).c_str(), \
                   std::to_string(expected_).c_str(), sgpt_standin_last_report());                                \
        }                                                                                                         \
    } while (0)

#define REPORTED(words)                                                                                     \
    do {                                                                                                    \
        if (std::string(sgpt_standin_last_report()).find(words) == std::string::npos) {                     \
            failures++;                                                                                     \
            printf("%s:%d: the report lacks \"%s\":\n%s\n", __FILE__, __LINE__, words, sgpt_standin_last_report()); \
        }                                                                                                   \
    } while (0)

/// A context of one device with a stream and a module; everything is released at the end.
class Session {
public:
    explicit Session(int order = 0, int device = 0);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Uninitialised device memory.
    uint64_t memory(size_t bytes);
    template <class T>
    uint64_t upload(const std::vector<T>& values) {
        uint64_t address = memory(values.size() * sizeof(T));
        SAME(0, cuMemcpyHtoDAsync_v2(address, values.data(), values.size() * sizeof(T), stream));
        SAME(0, cuStreamSynchronize(stream));
        return address;
    }
    template <class T>
    std::vector<T> download(uint64_t address, size_t count) {
        std::vector<T> values(count);
        SAME(0, cuMemcpyDtoHAsync_v2(values.data(), address, count * sizeof(T), stream));
        SAME(0, cuStreamSynchronize(stream));
        return values;
    }
    void* function(const char* name);
    /// Launches and waits. Returns the first status that is not 0.
    template <class... A>
    int launch(const char* name, unsigned blocks, unsigned threads, unsigned shared, A... arguments) {
        void* pointers[] = {&arguments...};
        int status = cuLaunchKernel(function(name), blocks, 1, 1, threads, 1, 1, shared, stream, pointers, nullptr);
        return status != 0 ? status : cuStreamSynchronize(stream);
    }

    void* context = nullptr;
    void* stream = nullptr;
    void* module = nullptr;

private:
    int device_;
    std::vector<uint64_t> memory_;
};

/// Sets an option for the next context.
void option(const char* name, const std::string& value);

void test_correct();
void test_broken();
void test_limits();
void test_driver();
void test_streams();
void test_time();
void test_graphs();
void test_numbers();
void test_matrices();
void test_cublaslt();
void test_nvrtc();
