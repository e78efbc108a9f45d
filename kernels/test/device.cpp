#include "device.h"

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "check.h"

namespace test {

namespace {

constexpr int CAPABILITY_MAJOR = 75;
constexpr int CAPABILITY_MINOR = 76;
constexpr int MAX_DYNAMIC_SHARED_SIZE = 8;

// The file that has the kernels with a name prefix; the first match counts.
struct Source {
    const char* kernels;
    const char* file;
};
constexpr Source SOURCES[] = {
    {"sgpt_activation", "activation.cu"},
    {"sgpt_gated", "activation.cu"},
    {"sgpt_attention_general", "attention_general.cu"},
    {"sgpt_attention_gradient", "attention_gradient.cu"},
    {"sgpt_attention", "attention.cu"},
    {"sgpt_convert", "convert.cu"},
    {"sgpt_transpose", "convert.cu"},
    {"sgpt_embed", "embed.cu"},
    {"sgpt_gradient", "gradients.cu"},
    {"sgpt_logprob", "logprob.cu"},
    {"sgpt_norm", "norm.cu"},
    {"sgpt_quantise", "fp8.cu"},
    {"sgpt_rescale", "fp8.cu"},
    {"sgpt_pool", "pooling.cu"},
    {"sgpt_rotary", "rotary.cu"},
    {"sgpt_softmax", "softmax.cu"},
    {"sgpt_sums", "sums.cu"},
};

Device* instance = nullptr;

// The first of the names that is there.
void* open_library(const std::string& directory, const std::vector<const char*>& names) {
    std::string reasons;
    for (const char* name : names) {
        const std::string path = directory.empty() ? name : directory + "/" + name;
        void* library = dlopen(path.c_str(), RTLD_NOW);
        if (library != nullptr) {
            return library;
        }
        reasons += (reasons.empty() ? "" : "; ") + std::string(dlerror());
    }
    throw std::runtime_error(reasons);
}

void* symbol(void* library, const char* name) {
    void* found = dlsym(library, name);
    if (found == nullptr) {
        throw std::runtime_error(std::string("no function ") + name);
    }
    return found;
}

void* driver = nullptr;

template <class... A>
void call(const char* name, A... arguments) {
    const auto function = reinterpret_cast<int (*)(A...)>(symbol(driver, name));
    const int status = function(arguments...);
    if (status != 0) {
        const char* text = "?";
        reinterpret_cast<int (*)(int, const char**)>(symbol(driver, "cuGetErrorName"))(status, &text);
        throw std::runtime_error(format("%s: %s", name, text));
    }
}

std::vector<char> read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        throw std::runtime_error("cannot read " + path);
    }
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<char> compile(void* nvrtc, const std::string& directory, const std::string& file, int capability) {
    const std::vector<char> text = read_file(directory + "/" + file);
    const std::string source(text.begin(), text.end());
    void* program = nullptr;
    const auto create =
        reinterpret_cast<int (*)(void**, const char*, const char*, int, const char* const*, const char* const*)>(
            symbol(nvrtc, "nvrtcCreateProgram"));
    const auto run = reinterpret_cast<int (*)(void*, int, const char* const*)>(symbol(nvrtc, "nvrtcCompileProgram"));
    const auto size_of_log = reinterpret_cast<int (*)(void*, size_t*)>(symbol(nvrtc, "nvrtcGetProgramLogSize"));
    const auto get_log = reinterpret_cast<int (*)(void*, char*)>(symbol(nvrtc, "nvrtcGetProgramLog"));
    const auto size_of_code = reinterpret_cast<int (*)(void*, size_t*)>(symbol(nvrtc, "nvrtcGetCUBINSize"));
    const auto get_code = reinterpret_cast<int (*)(void*, char*)>(symbol(nvrtc, "nvrtcGetCUBIN"));
    const auto destroy = reinterpret_cast<int (*)(void**)>(symbol(nvrtc, "nvrtcDestroyProgram"));
    if (create(&program, source.c_str(), file.c_str(), 0, nullptr, nullptr) != 0) {
        throw std::runtime_error("nvrtcCreateProgram");
    }
    const std::string architecture = format("--gpu-architecture=sm_%d", capability);
    const std::string include = "-I" + directory;
    const char* options[] = {architecture.c_str(), include.c_str(), "-std=c++17"};
    const int status = run(program, 3, options);
    size_t bytes = 0;
    if (status != 0) {
        size_of_log(program, &bytes);
        std::string log(bytes, '\0');
        get_log(program, log.data());
        throw std::runtime_error(file + ": " + log);
    }
    size_of_code(program, &bytes);
    std::vector<char> code(bytes);
    get_code(program, code.data());
    destroy(&program);
    return code;
}

}  // namespace

const char* name(Type type) {
    switch (type) {
        case Type::f32:
            return "f32";
        case Type::f16:
            return "f16";
        case Type::bf16:
            return "bf16";
        case Type::e4m3:
            return "e4m3";
        default:
            return "i32";
    }
}

int size_of(Type type) {
    return type == Type::e4m3 ? 1 : type == Type::f16 || type == Type::bf16 ? 2 : 4;
}

double unit(Type type) {
    return type == Type::f16 ? 0x1p-11 : type == Type::bf16 ? 0x1p-8 : 0x1p-24;
}

static float bfloat16(double value) {
    // Double rounding occurs only for values that are not exact floats, which no test uses.
    float single = static_cast<float>(value);
    std::uint32_t bits;
    std::memcpy(&bits, &single, 4);
    if (!std::isnan(single)) {
        bits += 0x7fff + (bits >> 16 & 1);
    }
    bits &= 0xffff0000;
    std::memcpy(&single, &bits, 4);
    return single;
}

// To multiples of the distance between neighbours, 2^-9 at least.
static double eight_bits(double value) {
    if (std::isnan(value)) {
        return value;
    }
    const double magnitude = std::fabs(value);
    if (magnitude >= 448) {
        return std::copysign(448, value);
    }
    const double step = std::ldexp(1, std::max(magnitude == 0 ? -6 : std::ilogb(magnitude), -6) - 3);
    return std::copysign(std::nearbyint(magnitude / step) * step, value);
}

double rounded(Type type, double value) {
    switch (type) {
        case Type::f32:
            return static_cast<float>(value);
        case Type::f16:
            return static_cast<double>(static_cast<_Float16>(value));
        case Type::bf16:
            return bfloat16(value);
        case Type::e4m3:
            return eight_bits(value);
        default:
            return value;
    }
}

static void encode(Type type, double value, char* to) {
    if (type == Type::i32) {
        const std::int32_t integer = static_cast<std::int32_t>(value);
        std::memcpy(to, &integer, 4);
    } else if (type == Type::f32) {
        const float single = static_cast<float>(value);
        std::memcpy(to, &single, 4);
    } else if (type == Type::f16) {
        const _Float16 half = static_cast<_Float16>(value);
        std::memcpy(to, &half, 2);
    } else {
        const float single = bfloat16(value);
        std::uint32_t bits;
        std::memcpy(&bits, &single, 4);
        const std::uint16_t upper = static_cast<std::uint16_t>(bits >> 16);
        std::memcpy(to, &upper, 2);
    }
}

static double decode(Type type, const char* from) {
    if (type == Type::i32) {
        std::int32_t integer;
        std::memcpy(&integer, from, 4);
        return integer;
    }
    if (type == Type::f32) {
        float single;
        std::memcpy(&single, from, 4);
        return single;
    }
    if (type == Type::f16) {
        _Float16 half;
        std::memcpy(&half, from, 2);
        return static_cast<double>(half);
    }
    if (type == Type::e4m3) {
        const int bits = static_cast<unsigned char>(*from);
        const int exponent = bits >> 3 & 15;
        const double magnitude = (bits & 0x7f) == 0x7f ? NAN
                                 : exponent == 0       ? std::ldexp(bits & 7, -9)
                                                       : std::ldexp(8 + (bits & 7), exponent - 10);
        return (bits & 0x80) != 0 ? -magnitude : magnitude;
    }
    std::uint16_t upper;
    std::memcpy(&upper, from, 2);
    const std::uint32_t bits = static_cast<std::uint32_t>(upper) << 16;
    float single;
    std::memcpy(&single, &bits, 4);
    return single;
}

Buffer::Buffer(Type type, const std::vector<double>& values, int offset) : Buffer(type, values.size(), offset) {
    std::vector<char> bytes(count_ * size_of(type));
    for (std::size_t i = 0; i < count_; i++) {
        encode(type, values[i], bytes.data() + i * size_of(type));
    }
    Device::current().upload(address(), bytes.data(), bytes.size());
}

Buffer::Buffer(Type type, std::size_t count, int offset) : type_(type), count_(count), offset_(offset) {
    base_ = Device::current().allocate((count + offset) * size_of(type));
}

Buffer::~Buffer() {
    Device::current().free(base_);
}

std::vector<double> Buffer::values() const {
    std::vector<char> bytes(count_ * size_of(type_));
    Device::current().download(bytes.data(), address(), bytes.size());
    std::vector<double> values(count_);
    for (std::size_t i = 0; i < count_; i++) {
        values[i] = decode(type_, bytes.data() + i * size_of(type_));
    }
    return values;
}

Device::Device(const std::string& libraries, const std::string& fatbin, const std::string& sources) {
    driver = open_library(libraries, {"libcuda.so.1"});
    call("cuInit", 0u);
    call("cuDeviceGet", &ordinal_, 0);
    char text[256];
    call("cuDeviceGetName", text, 256, ordinal_);
    name_ = text;
    int major = 0;
    int minor = 0;
    call("cuDeviceGetAttribute", &major, CAPABILITY_MAJOR, ordinal_);
    call("cuDeviceGetAttribute", &minor, CAPABILITY_MINOR, ordinal_);
    capability_ = major * 10 + minor;
    void* context = nullptr;
    call("cuDevicePrimaryCtxRetain", &context, ordinal_);
    call("cuCtxSetCurrent", context);
    call("cuStreamCreate", &stream_, 1u);
    if (!fatbin.empty()) {
        load("", read_file(fatbin));
    } else {
        void* nvrtc = open_library(libraries, {"libnvrtc.so.13", "libnvrtc.so.12"});
        for (const Source& source : SOURCES) {
            if (modules_.count(source.file) == 0) {
                load(source.file, compile(nvrtc, sources, source.file, capability_));
            }
        }
    }
    instance = this;
}

void Device::load(const std::string& file, const std::vector<char>& image) {
    void* module = nullptr;
    call("cuModuleLoadData", &module, static_cast<const void*>(image.data()));
    modules_[file] = module;
}

Device::~Device() {
    instance = nullptr;
    try {
        for (const auto& module : modules_) {
            call("cuModuleUnload", module.second);
        }
        call("cuStreamDestroy_v2", stream_);
        call("cuDevicePrimaryCtxRelease_v2", ordinal_);
    } catch (const std::exception& e) {
        fail(std::string("closing the device: ") + e.what());
    }
}

Device& Device::current() {
    return *instance;
}

Address Device::allocate(std::size_t bytes) {
    Address address = 0;
    call("cuMemAlloc_v2", &address, bytes);
    return address;
}

void Device::free(Address address) {
    // Fails after a kernel error, which has already been reported.
    reinterpret_cast<int (*)(Address)>(symbol(driver, "cuMemFree_v2"))(address);
}

void Device::upload(Address to, const void* from, std::size_t bytes) {
    call("cuMemcpyHtoDAsync_v2", to, from, bytes, stream_);
    call("cuStreamSynchronize", stream_);
}

void Device::download(void* to, Address from, std::size_t bytes) {
    call("cuMemcpyDtoHAsync_v2", to, from, bytes, stream_);
    call("cuStreamSynchronize", stream_);
}

void* Device::function(const std::string& kernel) {
    const auto known = functions_.find(kernel);
    if (known != functions_.end()) {
        return known->second;
    }
    std::string file;
    for (const Source& source : SOURCES) {
        if (modules_.count("") == 0 && kernel.compare(0, std::strlen(source.kernels), source.kernels) == 0) {
            file = source.file;
            break;
        }
    }
    void* function = nullptr;
    call("cuModuleGetFunction", &function, modules_.at(file), kernel.c_str());
    functions_[kernel] = function;
    return function;
}

void Device::launch_with(const std::string& kernel, Dim grid, Dim block, unsigned shared, void** arguments) {
    void* f = function(kernel);
    if (shared > 48 * 1024) {
        call("cuFuncSetAttribute", f, MAX_DYNAMIC_SHARED_SIZE, static_cast<int>(shared));
    }
    try {
        call("cuLaunchKernel", f, grid.x, grid.y, 1u, block.x, block.y, 1u, shared, stream_, arguments,
             static_cast<void**>(nullptr));
        call("cuStreamSynchronize", stream_);
    } catch (const std::exception& e) {
        throw std::runtime_error(kernel + ": " + e.what());
    }
}

}  // namespace test
