// The part of the driver API that the tests need: the stand-in's or a real one, found at run time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace test {

enum class Type { f32, f16, bf16, e4m3, i32 };

const char* name(Type type);
int size_of(Type type);

// The nearest value that a type can hold; ties go to even, too large ones to infinity, in e4m3 to 448.
double rounded(Type type, double value);

// Half the distance between neighbouring values of a type near 1: the maximum relative rounding error.
double unit(Type type);

struct Dim {
    unsigned x = 1;
    unsigned y = 1;
};

using Address = std::uint64_t;

// Values in device memory without padding: an access one element beyond is an error.
class Buffer {
public:
    // `offset` unused elements come first, to test other alignments.
    Buffer(Type type, const std::vector<double>& values, int offset = 0);

    // Memory whose contents are undefined.
    Buffer(Type type, std::size_t count, int offset = 0);

    ~Buffer();
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    Address address() const { return base_ + static_cast<Address>(offset_) * size_of(type_); }
    std::vector<double> values() const;
    Type type() const { return type_; }

private:
    Type type_;
    std::size_t count_;
    int offset_;
    Address base_ = 0;
};

class Device {
public:
    // Loads all kernels: from `fatbin` if that is not empty, else with NVRTC from the sources in `sources`.
    Device(const std::string& libraries, const std::string& fatbin, const std::string& sources);
    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    static Device& current();

    int capability() const { return capability_; }
    std::string name() const { return name_; }

    // Launches and waits. Arguments have exactly the kernel's parameter types; Address for pointers.
    template <class... A>
    void launch(const std::string& kernel, Dim grid, Dim block, unsigned shared, A... arguments) {
        void* pointers[] = {&arguments...};
        launch_with(kernel, grid, block, shared, pointers);
    }

    Address allocate(std::size_t bytes);
    void free(Address address);
    void upload(Address to, const void* from, std::size_t bytes);
    void download(void* to, Address from, std::size_t bytes);

private:
    void launch_with(const std::string& kernel, Dim grid, Dim block, unsigned shared, void** arguments);
    void* function(const std::string& kernel);
    void load(const std::string& file, const std::vector<char>& image);

    int capability_ = 0;
    std::string name_;
    void* stream_ = nullptr;
    int ordinal_ = 0;
    std::map<std::string, void*> modules_;  // by file, or one by the name of ""
    std::map<std::string, void*> functions_;
};

}  // namespace test
