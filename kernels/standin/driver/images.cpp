#include "images.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace standin {

namespace {

// A fat binary: this header, then entries, each with a header and its contents.
struct FatHeader {
    uint32_t magic;
    uint16_t version;
    uint16_t header_size;
    uint64_t size;
};
struct FatEntry {
    uint16_t kind;  // 1 PTX, 2 machine code
    uint16_t version;
    uint32_t header_size;
    uint64_t size;
    uint32_t compressed_size;
    uint32_t name_offset;
    uint16_t minor;
    uint16_t major;
    uint32_t architecture;
};
constexpr uint32_t fat_magic = 0xba55ed50;

int choose_fat(const char* image, int capability, std::string* code, std::string* why) {
    FatHeader header;
    memcpy(&header, image, sizeof header);
    uint64_t end = header.header_size + header.size;
    std::string found;
    bool has_ptx = false;
    int best = -1;
    for (uint64_t at = header.header_size; at + sizeof(FatEntry) <= end;) {
        FatEntry entry;
        memcpy(&entry, image + at, sizeof entry);
        if (entry.header_size < sizeof entry || entry.header_size + entry.size > end - at) {
            *why = "damaged fat binary at byte " + std::to_string(at);
            return 200;
        }
        int arch = static_cast<int>(entry.architecture);
        found += (found.empty() ? "" : ", ") + std::string(entry.kind == 1 ? "PTX " : "sm_") + std::to_string(arch);
        bool runs = arch / 10 == capability / 10 && arch <= capability;
        if (entry.kind == 2 && runs && arch > best) {
            best = arch;
            code->assign(entry.compressed_size != 0 ? "" : image + at + entry.header_size,
                         entry.compressed_size != 0 ? 0 : entry.size);
        }
        has_ptx |= entry.kind == 1 && arch <= capability;
        at += entry.header_size + entry.size;
    }
    if (best < 0 && !has_ptx) {
        *why = "no image for compute capability " + std::to_string(capability) + ", only " + found;
        return 209;
    }
    return 0;
}

}  // namespace

int choose_image(const void* image, int capability, std::string* code, std::string* file, std::string* why) {
    uint32_t magic = 0;
    memcpy(&magic, image, sizeof magic);
    const char* bytes = static_cast<const char*>(image);
    if (magic == fat_magic) {
        return choose_fat(bytes, capability, code, why);
    }
    if (strncmp(bytes, image_mark, strlen(image_mark)) != 0) {
        *why = "neither a fat binary nor an image of the stand-in's NVRTC";
        return 200;
    }
    std::string text = bytes + strlen(image_mark);
    size_t arch = text.find("arch=");
    size_t name = text.find("file=");
    if (arch == std::string::npos || name == std::string::npos) {
        *why = "damaged image of the stand-in's NVRTC";
        return 200;
    }
    int built_for = atoi(text.c_str() + arch + 5);
    bool ptx = text.find("ptx=1") != std::string::npos;
    if ((!ptx && built_for / 10 != capability / 10) || built_for > capability) {
        *why = "image for compute capability " + std::to_string(built_for) + ", the device has " +
               std::to_string(capability);
        return 209;
    }
    *file = text.substr(name + 5, text.find('\n', name) - name - 5);
    return 0;
}

}  // namespace standin
