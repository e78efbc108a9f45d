// The checks at the start of every call; the registry of kernels; the properties of devices.
#include <algorithm>
#include <atomic>

#include "../runtime/report.h"
#include "device.h"

namespace standin {

namespace {

std::vector<const Kernel*>& kernels() {
    static std::vector<const Kernel*> all;
    return all;
}

}  // namespace

void add_kernel(const Kernel* kernel) { kernels().push_back(kernel); }

const Kernel* find_kernel(const std::string& name) {
    for (const Kernel* kernel : kernels()) {
        if (name == kernel->name) {
            return kernel;
        }
    }
    return nullptr;
}

std::string base_name(const std::string& path) {
    size_t slash = path.find_last_of('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

bool has_kernels_of(const std::string& file) {
    return std::any_of(kernels().begin(), kernels().end(),
                       [&](const Kernel* kernel) { return base_name(kernel->file) == base_name(file); });
}

const Capability& capability_of(int number) {
    // CUDA C++ programming guide, "Technical specifications per compute capability".
    static const Capability all[] = {
        {75, 65536, 65536, 40, 1024},    {80, 166912, 167936, 108, 2048}, {86, 101376, 102400, 84, 1536},
        {87, 166912, 167936, 16, 1536},  {89, 101376, 102400, 142, 1536}, {90, 232448, 233472, 132, 2048},
        {100, 232448, 233472, 148, 2048}, {103, 232448, 233472, 148, 2048}, {110, 232448, 233472, 20, 1536},
        {120, 101376, 102400, 170, 1536}, {121, 101376, 102400, 48, 1536},
    };
    for (const Capability& c : all) {
        if (c.number == number) {
            return c;
        }
    }
    static Capability other;
    other = all[0];
    other.number = number;
    return other;
}

int Call::refuse(int code, const std::string& what) const {
    report(std::string(name_) + ": " + what);
    return code;
}

namespace {
std::atomic<int (*)(const char*)> order_hook{nullptr};
std::atomic<bool> initialized{false};

struct AtExit {
    ~AtExit() {
        for (int i = 0; i < max_devices; i++) {
            Device& device = device_at(i);
            if (device.alive) {
                device.close("the end of the process");
            }
        }
    }
};
}  // namespace

void set_initialized() {
    initialized = true;
    static AtExit at_exit;
}

bool ends_process(int code) {
    switch (code) {
        case 226:  // contained
        case 700:  // illegal address
        case 702:  // launch timeout
        case 714:  // stack error
        case 715:  // illegal instruction
        case 716:  // misaligned address
        case 717:  // invalid address space
        case 718:  // invalid program counter
        case 719:  // launch failed
        case 721:  // tensor memory leak
        case 810:  // MPS client terminated
        case 911:  // external device
            return true;
        default:
            return false;
    }
}

void set_order_hook(int (*hook)(const char*)) { order_hook = hook; }

bool Call::left_out() const {
    int (*hook)(const char*) = order_hook;
    return hook != nullptr && hook(name_) != 0;
}

int Call::unsafe() const {
    bool forbidden = false;
    for (int i = 0; i < device_count(); i++) {
        forbidden |= device_at(i).invalidate_captures_that_forbid();
    }
    return forbidden ? refuse(900, "not while a stream is captured, which is invalid now") : 0;
}

int Call::begin(bool needs_context) {
    int injected = injected_failure(name_);
    Device* device = current_device();
    if (injected != 0) {
        bool fatal = injected == 214 || injected == 220 || injected == 710 || ends_process(injected);
        if (fatal && device != nullptr) {
            std::lock_guard<std::mutex> guard(device->mutex);
            device->fail(injected);
            device->progress.notify_all();
        }
        return injected;
    }
    if (!initialized) {
        return 3;
    }
    if (!needs_context) {
        return 0;
    }
    if (device != nullptr && !device->alive && device->lost != 0) {
        return device->lost;
    }
    if (device == nullptr || !device->alive) {
        return refuse(201, "no context is current on this thread");
    }
    device_ = device;
    std::lock_guard<std::mutex> guard(device->mutex);
    return device->sticky;
}

}  // namespace standin
