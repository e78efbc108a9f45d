// Allocations, copies, fills.
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "api.h"
#include "device.h"

using namespace standin;

namespace {

constexpr int illegal = 700;

std::string hex(uint64_t address) {
    char text[32];
    snprintf(text, sizeof text, "0x%" PRIx64, address);
    return text;
}

/// Copies between device memory and host memory, which may no longer be mapped. Returns "" or the problem.
std::string copy_host(void* local, const void* host, size_t size, bool to_host) {
    static bool guarded = true;  // process_vm_* may be forbidden
    char* mine = static_cast<char*>(local);
    char* theirs = static_cast<char*>(const_cast<void*>(host));
    while (guarded && size > 0) {
        iovec near = {mine, size};
        iovec far = {theirs, size};
        ssize_t done = to_host ? process_vm_writev(getpid(), &near, 1, &far, 1, 0)
                               : process_vm_readv(getpid(), &near, 1, &far, 1, 0);
        if (done > 0) {
            mine += done;
            theirs += done;
            size -= static_cast<size_t>(done);
        } else if (errno == EFAULT) {
            return "host memory at " + hex(reinterpret_cast<uintptr_t>(theirs)) + " is not mapped (any more)";
        } else {
            guarded = false;
        }
    }
    if (size > 0) {
        memcpy(to_host ? theirs : mine, to_host ? mine : theirs, size);
    }
    return "";
}

uint64_t hash_of(const void* data, size_t size) {
    const char* bytes = static_cast<const char*>(data);
    uint64_t lanes[4] = {1, 2, 3, 4};
    size_t i = 0;
    for (; i + 32 <= size; i += 32) {
        for (int l = 0; l < 4; l++) {
            uint64_t word;
            memcpy(&word, bytes + i + 8 * static_cast<size_t>(l), 8);
            lanes[l] = (lanes[l] ^ word) * 0x9e3779b97f4a7c15u;
            lanes[l] ^= lanes[l] >> 32;
        }
    }
    uint64_t hash = lanes[0] * 3 ^ lanes[1] * 5 ^ lanes[2] * 7 ^ lanes[3] * 11;
    for (; i < size; i++) {
        hash = (hash ^ static_cast<unsigned char>(bytes[i])) * 0x100000001b3u;
    }
    return hash;
}

// What a download will overwrite: nothing may be read there, nor written, before it has arrived.
constexpr unsigned char not_arrived = 0xcb;

bool is_untouched(const void* data, size_t size) {
    const unsigned char* bytes = static_cast<const unsigned char*>(data);
    return bytes[0] == not_arrived && memcmp(bytes, bytes + 1, size - 1) == 0;
}

int bad_stream(const Call& call) { return call.refuse(400, "this is no stream of the current context"); }

/// Checks a range of device memory at the time of the call.
int check_now(const Call& call, uint64_t address, size_t size, const char* role) {
    uintptr_t real = 0;
    if (!untag(address, &real)) {
        return call.refuse(1, std::string(role) + " " + describe_address(address));
    }
    int owner = static_cast<int>((real - arena_base) / slot_size);
    Allocation a = memory_of(owner).find(real);
    if (a.size == 0 || size > a.size - (real - a.address)) {
        return call.refuse(1, std::string(role) + ": " + std::to_string(size) + " bytes at " +
                                  describe_address(address) + (a.size == 0 ? ": not allocated" : ": too many"));
    }
    return 0;
}

uintptr_t real_address(uint64_t tagged) { return static_cast<uintptr_t>(tagged - address_tag); }

int fill(Call& call, uint64_t to, const void* pattern, size_t unit, size_t count, void* handle) {
    Device& d = call.device();
    Stream* stream = d.stream_of(handle);
    if (stream == nullptr) {
        return bad_stream(call);
    }
    size_t size = count * unit;
    if (count == 0) {
        return 0;
    }
    if (size / unit != count || to % unit != 0) {
        return call.refuse(1, "misaligned or too long");
    }
    int status = check_now(call, to, size, "target");
    if (status != 0) {
        return status;
    }
    uint32_t value = 0;
    memcpy(&value, pattern, unit);
    return d.enqueue(stream, "memset", [=](std::string& why) {
        why = check_range(-1, to, size, Use::write);
        if (!why.empty()) {
            return illegal;
        }
        char* target = reinterpret_cast<char*>(real_address(to));
        if (unit == 1) {
            memset(target, static_cast<int>(value), size);
        } else {
            for (size_t i = 0; i < count; i++) {
                memcpy(target + i * 4, &value, 4);
            }
        }
        return 0;
    });
}

/// Queues an upload, with the device's mutex held.
void push_upload(Device& d, Stream* stream, uint64_t to, const void* from, size_t bytes) {
    uintptr_t host = reinterpret_cast<uintptr_t>(from);
    HostRange range{host, host + bytes, false};
    HostUses uses = d.host_uses_now(stream, range);
    bool known = !uses.written;
    uint64_t before = known ? hash_of(from, bytes) : 0;
    d.push(stream, "cuMemcpyHtoDAsync", [=](std::string& why) {
        if (!uses.race.empty()) {
            why = "race: reads " + uses.race;
            return illegal;
        }
        why = check_range(-1, to, bytes, Use::write);
        void* target = reinterpret_cast<void*>(real_address(to));
        if (why.empty()) {
            why = copy_host(target, from, bytes, false);
        }
        if (why.empty() && known && hash_of(target, bytes) != before) {
            why = std::to_string(bytes) + " bytes of host memory at " + hex(host) +
                  " changed between the call and the copy";
        }
        return why.empty() ? 0 : illegal;
    }, {}, nullptr, range);
}

/// Queues a download, with the device's mutex held.
void push_download(Device& d, Stream* stream, void* to, uint64_t from, size_t bytes, bool pinned) {
    uintptr_t host = reinterpret_cast<uintptr_t>(to);
    HostRange range{host, host + bytes, true};
    HostUses uses = d.host_uses_now(stream, range);
    bool emptied = pinned && !uses.any;
    if (emptied) {
        memset(to, not_arrived, bytes);
    }
    d.push(stream, "cuMemcpyDtoHAsync", [=](std::string& why) {
        if (!uses.race.empty()) {
            why = "race: writes " + uses.race;
            return illegal;
        }
        why = check_range(-1, from, bytes, Use::read);
        if (why.empty() && emptied && !is_untouched(to, bytes)) {
            why = std::to_string(bytes) + " bytes of host memory at " + hex(host) +
                  " changed between the call and the copy";
        }
        if (why.empty()) {
            why = copy_host(reinterpret_cast<void*>(real_address(from)), to, bytes, true);
        }
        return why.empty() ? 0 : illegal;
    }, {}, nullptr, range);
}

}  // namespace

SGPT_API cuMemGetInfo_v2(size_t* free_bytes, size_t* total) {
    Call call("cuMemGetInfo");
    int status = call.begin();
    if (status == 0) {
        const Memory& memory = memory_of(call.device().ordinal);
        *total = memory.limit();
        *free_bytes = memory.limit() - memory.used();
    }
    return status;
}

SGPT_API cuMemAlloc_v2(uint64_t* address, size_t bytes) {
    Call call("cuMemAlloc");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    if (address == nullptr || bytes == 0) {
        return call.refuse(1, "0 bytes");
    }
    status = call.unsafe();
    if (status != 0) {
        return status;
    }
    uintptr_t real = memory_of(call.device().ordinal).allocate(bytes);
    if (real == 0) {
        return 2;
    }
    *address = with_tag(real);
    return 0;
}

SGPT_API cuMemFree_v2(uint64_t address) {
    Call call("cuMemFree");
    int status = call.begin();
    if (status != 0 || address == 0) {
        return status;
    }
    status = call.unsafe();
    if (status != 0) {
        return status;
    }
    // The driver's documentation does not promise that this waits, so it does not.
    uintptr_t real = 0;
    std::lock_guard<std::mutex> guard(call.device().mutex);
    if (!untag(address, &real) || !memory_of(call.device().ordinal).release(real)) {
        return call.refuse(1, "no allocation begins at " + describe_address(address));
    }
    return 0;
}

SGPT_API cuMemHostAlloc(void** address, size_t bytes, unsigned flags) {
    Call call("cuMemHostAlloc");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    if (bytes == 0 || flags > 7) {
        return call.refuse(1, "size " + std::to_string(bytes) + ", flags " + std::to_string(flags));
    }
    status = call.unsafe();
    if (status != 0) {
        return status;
    }
    void* block = nullptr;
    if (posix_memalign(&block, 4096, bytes) != 0) {
        return 2;
    }
    memset(block, not_arrived, bytes);
    Device& d = call.device();
    std::lock_guard<std::mutex> guard(d.mutex);
    d.pinned[reinterpret_cast<uintptr_t>(block)] = {bytes, &d};
    *address = block;
    return 0;
}

SGPT_API cuMemFreeHost(void* address) {
    Call call("cuMemFreeHost");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    status = call.unsafe();
    if (status != 0) {
        return status;
    }
    for (int i = 0; i < device_count(); i++) {
        Device& d = device_at(i);
        std::unique_lock<std::mutex> lock(d.mutex);
        auto found = d.pinned.find(reinterpret_cast<uintptr_t>(address));
        if (found == d.pinned.end()) {
            continue;
        }
        HostRange range{found->first, found->first + found->second.size, true};
        lock.unlock();
        for (int j = 0; j < device_count(); j++) {
            if (device_at(j).host_uses(nullptr, range).any) {
                return call.refuse(1, "a queued copy uses the memory at " + hex(range.first));
            }
        }
        lock.lock();
        d.pinned.erase(range.first);
        free(address);
        return 0;
    }
    return call.refuse(1, "this is no pinned memory");
}

SGPT_API cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void* handle) {
    Call call("cuMemcpyHtoDAsync");
    int status = call.begin();
    if (status != 0 || bytes == 0) {
        return status;
    }
    Device& d = call.device();
    Stream* stream = d.stream_of(handle);
    if (stream == nullptr) {
        return bad_stream(call);
    }
    status = from == nullptr ? call.refuse(1, "null host address") : check_now(call, to, bytes, "target");
    if (status != 0) {
        return status;
    }
    Device* device = &d;
    return d.enqueue(stream, [=](Stream* on) { push_upload(*device, on, to, from, bytes); });
}

SGPT_API cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void* handle) {
    Call call("cuMemcpyDtoHAsync");
    int status = call.begin();
    if (status != 0 || bytes == 0) {
        return status;
    }
    Device& d = call.device();
    Stream* stream = d.stream_of(handle);
    if (stream == nullptr) {
        return bad_stream(call);
    }
    status = to == nullptr ? call.refuse(1, "null host address") : check_now(call, from, bytes, "source");
    if (status != 0) {
        return status;
    }
    Device* device = &d;
    bool pinned = d.is_pinned(reinterpret_cast<uintptr_t>(to), bytes);
    status = d.enqueue(stream, [=](Stream* on) { push_download(*device, on, to, from, bytes, pinned); });
    // To pageable memory the driver's call returns when the copy is done.
    return status != 0 || pinned || d.is_captured(stream) ? status : d.drain(stream);
}

SGPT_API cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void* handle) {
    Call call("cuMemcpyDtoDAsync");
    int status = call.begin();
    if (status != 0 || bytes == 0) {
        return status;
    }
    Stream* stream = call.device().stream_of(handle);
    if (stream == nullptr) {
        return bad_stream(call);
    }
    status = check_now(call, to, bytes, "target");
    status = status != 0 ? status : check_now(call, from, bytes, "source");
    if (status != 0) {
        return status;
    }
    if (to < from + bytes && from < to + bytes) {
        return call.refuse(1, "the ranges overlap");
    }
    return call.device().enqueue(stream, "cuMemcpyDtoDAsync", [=](std::string& why) {
        why = check_range(-1, from, bytes, Use::allocated);
        why = why.empty() ? note_access(real_address(from), bytes, false) : why;
        why = why.empty() ? check_range(-1, to, bytes, Use::write) : why;
        if (!why.empty()) {
            return illegal;
        }
        // Uninitialised bytes stay uninitialised.
        memcpy(reinterpret_cast<void*>(real_address(to)), reinterpret_cast<void*>(real_address(from)), bytes);
        memcpy(state_of(real_address(to)), state_of(real_address(from)), bytes);
        return 0;
    });
}

SGPT_API cuMemsetD8Async(uint64_t to, unsigned char value, size_t count, void* handle) {
    Call call("cuMemsetD8Async");
    int status = call.begin();
    return status != 0 ? status : fill(call, to, &value, 1, count, handle);
}

SGPT_API cuMemsetD32Async(uint64_t to, unsigned value, size_t count, void* handle) {
    Call call("cuMemsetD32Async");
    int status = call.begin();
    return status != 0 ? status : fill(call, to, &value, 4, count, handle);
}
