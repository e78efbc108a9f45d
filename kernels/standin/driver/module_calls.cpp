// Modules, functions, launches.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "../runtime/report.h"
#include "api.h"
#include "device.h"
#include "images.h"

using namespace standin;

namespace {

Module* module_of(Device& d, void* handle) {
    std::lock_guard<std::mutex> guard(d.mutex);
    auto found = d.modules.find(static_cast<Module*>(handle));
    return found == d.modules.end() ? nullptr : *found;
}

Function* function_of(Device& d, void* handle) {
    std::lock_guard<std::mutex> guard(d.mutex);
    for (Module* module : d.modules) {
        for (auto& entry : module->functions) {
            if (entry.second == handle) {
                return entry.second;
            }
        }
    }
    return nullptr;
}

int bad_function(const Call& call) { return call.refuse(400, "this is no function of the current context"); }

int load(Call& call, void** module, const void* image, std::string* why) {
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    if (image == nullptr) {
        return call.refuse(1, "null image");
    }
    status = call.unsafe();
    if (status != 0) {
        return status;
    }
    Module* made = new Module{&call.device(), "", "", {}};
    status = choose_image(image, options().capability, &made->image, &made->only_file, why);
    if (status != 0) {
        delete made;
        return call.refuse(status, *why);
    }
    Device& d = call.device();
    std::lock_guard<std::mutex> guard(d.mutex);
    d.modules.insert(made);
    *module = made;
    return 0;
}

std::string limits_broken(const Function& f, const uint3& grid, const uint3& block, unsigned shared) {
    const Kernel& k = *f.kernel;
    auto text = [](const uint3& v) {
        return "(" + std::to_string(v.x) + "," + std::to_string(v.y) + "," + std::to_string(v.z) + ")";
    };
    uint64_t threads = static_cast<uint64_t>(block.x) * block.y * block.z;
    if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 2147483647u || grid.y > 65535 || grid.z > 65535) {
        return "grid " + text(grid) + ": each at least 1, at most (2147483647,65535,65535)";
    }
    if (threads == 0 || block.x > 1024 || block.y > 1024 || block.z > 64 || threads > 1024) {
        return "block " + text(block) + ": each at least 1, at most (1024,1024,64) and 1024 threads in all";
    }
    if (threads > static_cast<uint64_t>(k.max_threads)) {
        return "block " + text(block) + ": the kernel's __launch_bounds__ allow " + std::to_string(k.max_threads) +
               " threads";
    }
    if (shared > f.dynamic_shared) {
        return std::to_string(shared) + " bytes of dynamic shared memory: the function allows " +
               std::to_string(f.dynamic_shared) + " (cuFuncSetAttribute)";
    }
    return "";
}

/// Copies the parameters and converts addresses to real ones. Returns "" or the problem.
std::string take_parameters(const Kernel& kernel, void** values, int device, std::vector<uint64_t>* out) {
    for (int i = 0; i < kernel.parameter_count; i++) {
        if (values == nullptr || values[i] == nullptr) {
            return "parameter " + std::to_string(i) + " of " + std::to_string(kernel.parameter_count) + " is missing";
        }
        uint64_t value = 0;
        memcpy(&value, values[i], kernel.parameters[i].size);
        if (kernel.parameters[i].pointer && value != 0) {
            uintptr_t real = 0;
            std::string name = "pointer parameter " + std::to_string(i) + " is " + describe_address(value);
            if (!untag(value, &real)) {
                return name;
            }
            int owner = static_cast<int>((real - arena_base) / slot_size);
            if (owner != device) {
                return name + ", the kernel runs on device " + std::to_string(device);
            }
            if (memory_of(owner).find(real, true).size == 0) {
                return name + ": no live allocation";
            }
            value = real;
        }
        out->push_back(value);
    }
    return "";
}

}  // namespace

SGPT_API cuModuleLoadData(void** module, const void* image) {
    Call call("cuModuleLoadData");
    std::string why;
    return load(call, module, image, &why);
}

SGPT_API cuModuleLoadDataEx(void** module, const void* image, unsigned count, int* names, void** values) {
    Call call("cuModuleLoadDataEx");
    char* log = nullptr;
    size_t log_size = 0;
    for (unsigned i = 0; i < count; i++) {
        if (names[i] == 5) {
            log = static_cast<char*>(values[i]);
        } else if (names[i] == 6) {
            log_size = reinterpret_cast<uintptr_t>(values[i]) & 0xffffffffu;
        } else if (names[i] < 0 || names[i] > 8) {
            return call.refuse(801, "the stand-in does not know option " + std::to_string(names[i]));
        }
    }
    std::string why;
    int status = load(call, module, image, &why);
    if (log != nullptr && log_size > 0) {
        snprintf(log, log_size, "%s", why.c_str());
    }
    return status;
}

SGPT_API cuModuleGetFunction(void** function, void* handle, const char* name) {
    Call call("cuModuleGetFunction");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    Module* module = module_of(call.device(), handle);
    if (module == nullptr) {
        return call.refuse(400, "this is no module of the current context");
    }
    const Kernel* kernel = find_kernel(name);
    if (kernel == nullptr || (!module->only_file.empty() && base_name(kernel->file) != module->only_file)) {
        return 500;
    }
    if (!module->image.empty() && module->image.find(".text." + std::string(name) + '\0') == std::string::npos) {
        return call.refuse(500, "the image, which was built from other sources, has no kernel " + std::string(name));
    }
    std::lock_guard<std::mutex> guard(call.device().mutex);
    Function*& entry = module->functions[name];
    if (entry == nullptr) {
        entry = new Function{module, kernel};
    }
    *function = entry;
    return 0;
}

SGPT_API cuModuleUnload(void* handle) {
    Call call("cuModuleUnload");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    Device& d = call.device();
    Module* module = module_of(d, handle);
    if (module == nullptr) {
        return call.refuse(400, "this is no module of the current context");
    }
    status = call.unsafe();
    if (status != 0) {
        return status;
    }
    if (d.has_executables()) {
        report("cuModuleUnload: executable graphs, which may have its kernels, were not destroyed");
    }
    // The driver's documentation does not promise that this waits, so it does so only to stay alive.
    if (d.is_queued("cuLaunchKernel")) {
        report("cuModuleUnload: kernels are queued that nobody waited for");
        status = d.drain(nullptr);
        if (status != 0) {
            return status;
        }
    }
    std::lock_guard<std::mutex> guard(d.mutex);
    d.modules.erase(module);
    for (auto& entry : module->functions) {
        delete entry.second;
    }
    delete module;
    return 0;
}

SGPT_API cuFuncGetAttribute(int* value, int attribute, void* handle) {
    Call call("cuFuncGetAttribute");
    int status = call.begin();
    Function* f = status == 0 ? function_of(call.device(), handle) : nullptr;
    if (f == nullptr) {
        return status != 0 ? status : bad_function(call);
    }
    int capability = options().capability;
    // Threads per block, static shared, constant and local bytes, registers, PTX and machine code version, cache mode,
    // dynamic shared bytes, preferred carve-out.
    const int values[] = {f->kernel->max_threads,  0, 0, 0, 64, capability, capability, 0,
                          static_cast<int>(f->dynamic_shared), -1};
    if (attribute < 0 || attribute > 9) {
        return call.refuse(801, "the stand-in does not know function attribute " + std::to_string(attribute));
    }
    *value = values[attribute];
    return 0;
}

SGPT_API cuFuncSetAttribute(void* handle, int attribute, int value) {
    Call call("cuFuncSetAttribute");
    int status = call.begin();
    Function* f = status == 0 ? function_of(call.device(), handle) : nullptr;
    if (f == nullptr) {
        return status != 0 ? status : bad_function(call);
    }
    if (attribute == 9 && value >= -1 && value <= 100) {
        return 0;  // a hint
    }
    if (attribute != 8) {
        return call.refuse(801, "the stand-in does not set function attribute " + std::to_string(attribute));
    }
    unsigned most = capability_of(options().capability).shared_optin;
    if (value < 0 || static_cast<unsigned>(value) > most) {
        return call.refuse(1, std::to_string(value) + " bytes of dynamic shared memory, the device has " +
                                  std::to_string(most));
    }
    f->dynamic_shared = static_cast<unsigned>(value);
    return 0;
}

SGPT_API cuLaunchKernel(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                        unsigned block_y, unsigned block_z, unsigned shared, void* handle, void** parameters,
                        void** extra) {
    Call call("cuLaunchKernel");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    Device& d = call.device();
    Function* f = function_of(d, function);
    Stream* stream = d.stream_of(handle);
    if (f == nullptr || stream == nullptr) {
        return f == nullptr ? bad_function(call) : call.refuse(400, "this is no stream of the current context");
    }
    std::string kernel = std::string(f->kernel->name) + ": ";
    if (extra != nullptr) {
        return call.refuse(801, kernel + "the stand-in takes parameters as an array of pointers only");
    }
    LaunchPlan plan{f->kernel, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared, options().order,
                    d.ordinal, options().capability, {}};
    std::string wrong = limits_broken(*f, plan.grid, plan.block, shared);
    if (wrong.empty()) {
        wrong = take_parameters(*f->kernel, parameters, d.ordinal, &plan.arguments);
    }
    if (!wrong.empty()) {
        return call.refuse(1, kernel + wrong);
    }
    Device* device = &d;
    return d.enqueue(stream, "cuLaunchKernel", [device, plan](std::string& why) {
        int result = device->block.run(plan, device->order);
        why = device->block.message;
        return result;
    }, {}, f->kernel->name);
}
