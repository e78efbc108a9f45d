#include "services.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>

#include "../runtime/report.h"
#include "device.h"

namespace standin {

/// Written by the build: file name without folders, cksum.
struct SourceSum {
    const char* file;
    uint32_t sum;
};
extern const SourceSum source_sums[];

namespace {

std::mutex handles_mutex;

std::map<std::string, int>& handles() {
    static std::map<std::string, int> counts;
    return counts;
}

struct HandlesAtExit {
    HandlesAtExit() { handles(); }
    ~HandlesAtExit() {
        for (const auto& entry : handles()) {
            if (entry.second > 0) {
                report("leaked at the end of the process: " + std::to_string(entry.second) + " of " + entry.first);
            }
        }
    }
};

void count_handle(const char* kind, int change) {
    static HandlesAtExit at_exit;
    std::lock_guard<std::mutex> guard(handles_mutex);
    handles()[kind] += change;
}

int current_ordinal() {
    Device* device = current_device();
    if (device == nullptr || !device->alive) {
        return -1;
    }
    std::lock_guard<std::mutex> guard(device->mutex);
    return device->sticky != 0 ? -2 : device->ordinal;
}

int enqueue_work(void* handle, const char* what, Work work) {
    Device* device = current_device();
    Stream* stream = device == nullptr ? nullptr : device->stream_of(handle);
    if (stream == nullptr) {
        return 400;
    }
    return device->enqueue(stream, what, std::move(work));
}

std::string check(int device, uint64_t address, size_t size, int use) {
    return check_range(device, address, size, static_cast<Use>(use));
}

void forget(uint64_t address, size_t size) {
    uint8_t* states = state_of(static_cast<uintptr_t>(address - address_tag));
    std::fill(states, states + size, state_unwritten);
}

int capability() { return options().capability; }
int slow_products() { return options().slow_products; }
bool known_file(const char* file) { return has_kernels_of(file); }

/// The checksum of POSIX cksum, which the build computes for the sources.
uint64_t text_hash(const char* text, size_t size) {
    uint32_t crc = 0;
    auto add = [&crc](uint32_t byte) {
        crc ^= byte << 24;
        for (int i = 0; i < 8; i++) {
            crc = (crc & 0x80000000u) != 0 ? (crc << 1) ^ 0x04c11db7u : crc << 1;
        }
    };
    for (size_t i = 0; i < size; i++) {
        add(static_cast<unsigned char>(text[i]));
    }
    for (size_t length = size; length != 0; length >>= 8) {
        add(length & 0xff);
    }
    return uint64_t{1} << 32 | static_cast<uint32_t>(~crc);
}

uint64_t source_hash(const char* file) {
    for (const SourceSum* source = source_sums; source->file != nullptr; source++) {
        if (strcmp(source->file, file) == 0) {
            return uint64_t{1} << 32 | source->sum;
        }
    }
    return 0;
}

}  // namespace

}  // namespace standin

const standin::Services* sgpt_standin_services() {
    static const standin::Services services = {
        standin::injected_failure, standin::report,           standin::capability, standin::current_ordinal,
        standin::enqueue_work,     standin::check,            standin::describe_address,
        standin::forget,           standin::count_handle,     standin::known_file, standin::source_hash,
        standin::text_hash,        standin::slow_products,
    };
    return &services;
}

void sgpt_standin_on_order(int (*hook)(const char*)) { standin::set_order_hook(hook); }

unsigned long sgpt_standin_queued() {
    unsigned long queued = 0;
    for (int i = 0; i < standin::device_count(); i++) {
        standin::Device& device = standin::device_at(i);
        std::lock_guard<std::mutex> guard(device.mutex);
        queued += device.queued;
    }
    return queued;
}

int sgpt_standin_given_back(uint64_t address, size_t bytes, void* handle) {
    uintptr_t real = 0;
    if (!standin::untag(address, &real)) {
        return 1;
    }
    int ordinal = static_cast<int>((real - standin::arena_base) / standin::slot_size);
    standin::Device& device = standin::device_at(ordinal);
    standin::Stream* stream = device.stream_of(handle);
    if (stream == nullptr) {
        return 400;
    }
    return device.enqueue(stream, "return to a pool", [=](std::string& why) {
        std::lock_guard<std::mutex> guard(standin::device_at(ordinal).mutex);
        if (standin::memory_of(ordinal).find(real).size == 0) {
            return 0;  // the pool has freed it since
        }
        why = standin::check_range(-1, address, bytes, standin::Use::write);
        if (!why.empty()) {
            return 700;
        }
        standin::forget(address, bytes);
        return 0;
    });
}

unsigned long sgpt_standin_pinned() {
    unsigned long bytes = 0;
    for (int i = 0; i < standin::device_count(); i++) {
        standin::Device& device = standin::device_at(i);
        std::lock_guard<std::mutex> guard(device.mutex);
        for (const auto& block : device.pinned) {
            bytes += block.second.size;
        }
    }
    return bytes;
}

const char* sgpt_standin_last_report() {
    static thread_local std::string text;
    text = standin::last_report();
    return text.c_str();
}

unsigned long sgpt_standin_report_count() { return standin::report_count(); }
