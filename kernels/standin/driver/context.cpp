// Initialisation, devices, primary contexts.
#include <cstdio>
#include <cstring>
#include <mutex>

#include "../runtime/report.h"
#include "api.h"
#include "device.h"

using namespace standin;

namespace {

bool is_device(int device) { return device >= 0 && device < device_count(); }

// Contexts are retained, released and reset by any threads.
std::mutex contexts;

}  // namespace

SGPT_API cuInit(unsigned flags) {
    read_options();
    int injected = injected_failure("cuInit");
    if (injected != 0) {
        return injected;
    }
    if (flags != 0) {
        return 1;
    }
    if (device_count() == 0) {
        return 100;
    }
    set_initialized();
    return 0;
}

SGPT_API cuDriverGetVersion(int* version) {
    if (version == nullptr) {
        return 1;
    }
    *version = options().driver;
    return injected_failure("cuDriverGetVersion");
}

SGPT_API cuDeviceGetCount(int* count) {
    Call call("cuDeviceGetCount");
    int status = call.begin(false);
    if (status == 0) {
        *count = device_count();
    }
    return status;
}

SGPT_API cuDeviceGet(int* device, int ordinal) {
    Call call("cuDeviceGet");
    int status = call.begin(false);
    if (status != 0) {
        return status;
    }
    if (!is_device(ordinal)) {
        return 101;
    }
    *device = ordinal;
    return 0;
}

SGPT_API cuDeviceGetName(char* name, int length, int device) {
    Call call("cuDeviceGetName");
    int status = call.begin(false);
    if (status != 0 || !is_device(device)) {
        return status != 0 ? status : 101;
    }
    int capability = options().capability;
    snprintf(name, static_cast<size_t>(length), "sgpt4j stand-in %d.%d", capability / 10, capability % 10);
    return 0;
}

SGPT_API cuDeviceGetUuid_v2(void* uuid, int device) {
    Call call("cuDeviceGetUuid");
    int status = call.begin(false);
    if (status != 0 || !is_device(device)) {
        return status != 0 ? status : 101;
    }
    memset(uuid, 0x5a, 16);
    static_cast<unsigned char*>(uuid)[15] = static_cast<unsigned char>(device);
    return 0;
}

SGPT_API cuDeviceTotalMem_v2(size_t* bytes, int device) {
    Call call("cuDeviceTotalMem");
    int status = call.begin(false);
    if (status != 0 || !is_device(device)) {
        return status != 0 ? status : 101;
    }
    *bytes = options().memory;
    return 0;
}

SGPT_API cuDeviceGetAttribute(int* value, int attribute, int device) {
    Call call("cuDeviceGetAttribute");
    int status = call.begin(false);
    if (status != 0 || !is_device(device)) {
        return status != 0 ? status : 101;
    }
    const Capability& capability = capability_of(options().capability);
    struct Entry {
        int attribute;
        int value;
    };
    const Entry entries[] = {
        {1, 1024},                                   // threads per block
        {2, 1024},                                   // block x
        {3, 1024},                                   // block y
        {4, 64},                                     // block z
        {5, 2147483647},                             // grid x
        {6, 65535},                                  // grid y
        {7, 65535},                                  // grid z
        {8, 48 * 1024},                              // shared memory per block
        {9, 65536},                                  // constant memory
        {10, 32},                                    // warp size
        {12, 65536},                                 // registers per block
        {13, 1500000},                               // clock rate, kHz
        {15, 1},                                     // copies overlap kernels
        {16, capability.multiprocessors},            //
        {17, 0},                                     // kernel timeout
        {18, 0},                                     // integrated
        {19, 1},                                     // can map host memory
        {20, 0},                                     // compute mode: default
        {31, 1},                                     // concurrent kernels
        {32, 0},                                     // ECC
        {33, device + 1},                            // PCI bus
        {34, 0},                                     // PCI device
        {36, 1500000},                               // memory clock rate, kHz
        {37, 5120},                                  // memory bus width
        {38, 50 << 20},                              // L2 bytes
        {39, capability.threads_per_multiprocessor}, //
        {40, 2},                                     // copy engines
        {41, 1},                                     // unified addressing
        {50, 0},                                     // PCI domain
        {75, capability.number / 10},                //
        {76, capability.number % 10},                //
        {81, static_cast<int>(capability.shared_per_multiprocessor)},
        {82, 65536},                                 // registers per multiprocessor
        {97, static_cast<int>(capability.shared_optin)},
        {106, capability.number == 75 ? 16 : 32},    // blocks per multiprocessor
        {111, 1024},                                 // shared memory reserved per block
    };
    for (const Entry& entry : entries) {
        if (entry.attribute == attribute) {
            *value = entry.value;
            return 0;
        }
    }
    return call.refuse(801, "the stand-in does not know device attribute " + std::to_string(attribute));
}

SGPT_API cuDevicePrimaryCtxRetain(void** context, int device) {
    Call call("cuDevicePrimaryCtxRetain");
    int status = call.begin(false);
    if (status != 0) {
        return status;
    }
    if (!is_device(device)) {
        return 101;
    }
    read_options();
    std::lock_guard<std::mutex> guard(contexts);
    Device& d = device_at(device);
    if (d.references == 0 || !d.alive) {
        status = d.open();
    } else {
        status = d.lost;
    }
    if (status != 0) {
        return status;
    }
    d.references++;
    *context = &d;
    return 0;
}

SGPT_API cuDevicePrimaryCtxRelease_v2(int device) {
    Call call("cuDevicePrimaryCtxRelease");
    int status = call.begin(false);
    if (status != 0) {
        return status;
    }
    std::lock_guard<std::mutex> guard(contexts);
    if (!is_device(device) || device_at(device).references == 0) {
        return call.refuse(is_device(device) ? 201 : 101,
                           "the primary context of device " + std::to_string(device) + " is not retained");
    }
    Device& d = device_at(device);
    if (--d.references == 0 && d.alive) {
        d.close("the release of the primary context");
    }
    return 0;
}

SGPT_API cuDevicePrimaryCtxReset_v2(int device) {
    Call call("cuDevicePrimaryCtxReset");
    int status = call.begin(false);
    if (status != 0 || !is_device(device)) {
        return status != 0 ? status : 101;
    }
    std::lock_guard<std::mutex> guard(contexts);
    Device& d = device_at(device);
    if (d.alive) {
        d.close("the reset of the primary context");
    }
    return d.references > 0 ? d.open() : 0;
}

SGPT_API cuDevicePrimaryCtxGetState(int device, unsigned* flags, int* active) {
    Call call("cuDevicePrimaryCtxGetState");
    int status = call.begin(false);
    if (status != 0 || !is_device(device)) {
        return status != 0 ? status : 101;
    }
    *flags = 0;
    *active = device_at(device).alive ? 1 : 0;
    return 0;
}

SGPT_API cuCtxSetCurrent(void* context) {
    Call call("cuCtxSetCurrent");
    int status = call.begin(false);
    if (status != 0) {
        return status;
    }
    if (context == nullptr) {
        current_device() = nullptr;
        return 0;
    }
    for (int i = 0; i < max_devices; i++) {
        if (context == &device_at(i) && (device_at(i).alive || device_at(i).lost != 0)) {
            current_device() = &device_at(i);
            return device_at(i).lost;
        }
    }
    return call.refuse(201, "this is no living context");
}

SGPT_API cuCtxGetCurrent(void** context) {
    Call call("cuCtxGetCurrent");
    int status = call.begin(false);
    if (status == 0) {
        *context = current_device();
    }
    return status;
}

SGPT_API cuCtxSynchronize(void) {
    Call call("cuCtxSynchronize");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    status = call.unsafe();
    if (status != 0) {
        return status;
    }
    if (call.device().invalidate_captures()) {
        return call.refuse(900, "a stream of the context is captured, which is invalid now");
    }
    return call.left_out() ? 0 : call.device().drain(nullptr);
}
