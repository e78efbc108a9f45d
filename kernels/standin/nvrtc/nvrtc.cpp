// The libnvrtc functions that the stand-in implements. Nothing is compiled, since the kernels are already in the
// stand-in's libcuda. The given sources must be those that it was built from; an image that names them is returned.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <string>

#include "../driver/images.h"
#include "../driver/services.h"

#define SGPT_EXPORT extern "C" __attribute__((visibility("default")))
#define SGPT_API SGPT_EXPORT int

using namespace standin;

namespace {

enum Status { success = 0, invalid_input = 3, invalid_program = 4, invalid_option = 5, compilation = 6 };

struct Program {
    std::string file;      // source file whose kernels the image will have, "" for all
    std::string problems;  // found at creation, reported at compilation
    std::string log;
    std::string image;
    bool machine_code = false;
};

const int architectures[] = {75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121};

std::mutex mutex;
std::set<Program*>& programs() {
    static std::set<Program*>* const all = new std::set<Program*>;
    return *all;
}

Program* live(void* handle) {
    std::lock_guard<std::mutex> guard(mutex);
    auto found = programs().find(static_cast<Program*>(handle));
    return found == programs().end() ? nullptr : *found;
}

std::string base(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

/// Returns "" if the text equals the compiled file, or the file is unknown here.
std::string compare(const std::string& name, const char* text) {
    const Services& s = *sgpt_standin_services();
    uint64_t built = s.source_hash(base(name).c_str());
    if (built == 0 || built == s.text_hash(text, strlen(text))) {
        return "";
    }
    return name + ": not the text that the stand-in was built from\n";
}

int use_option(Program* program, const std::string& option, int* arch, bool* real) {
    for (const char* prefix : {"--gpu-architecture=", "-arch="}) {
        if (option.rfind(prefix, 0) == 0) {
            std::string value = option.substr(strlen(prefix));
            *real = value.rfind("sm_", 0) == 0;
            size_t underscore = value.find('_');
            *arch = underscore == std::string::npos ? 0 : atoi(value.c_str() + underscore + 1);
            const int* end = std::end(architectures);
            if (std::find(std::begin(architectures), end, *arch) != end) {
                return success;
            }
        }
    }
    static const char* const accepted[] = {
        "--std=", "-std=", "-I", "--include-path=", "-D", "--define-macro=", "--device-as-default", "-default-device",
        "--use_fast_math", "-use_fast_math", "--fmad=", "-lineinfo", "--generate-line-info", "--maxrregcount=",
        "--extra-device-vectorization", "-w", "--diag-suppress=", "--Werror", "--split-compile=", "--minimal",
        "--no-source-include", "--restrict", "-restrict", "--display-error-number"};
    for (const char* prefix : accepted) {
        if (option.rfind(prefix, 0) == 0) {
            return success;
        }
    }
    program->log += "nvrtc: error: invalid value for --gpu-architecture or unknown option (" + option + ")\n";
    return invalid_option;
}

int copy_text(void* handle, char* out, std::string Program::*text, bool available) {
    Program* program = live(handle);
    if (program == nullptr || !available) {
        return program == nullptr ? invalid_program : invalid_input;
    }
    memcpy(out, (program->*text).c_str(), (program->*text).size() + 1);
    return success;
}

}  // namespace

SGPT_API nvrtcVersion(int* major, int* minor) {
    *major = 13;
    *minor = 999;  // not a real version, so that caches keyed by version do not confuse real and stand-in code
    return success;
}

SGPT_EXPORT const char* nvrtcGetErrorString(int status) {
    static const char* const names[] = {"NVRTC_SUCCESS",
                                        "NVRTC_ERROR_OUT_OF_MEMORY",
                                        "NVRTC_ERROR_PROGRAM_CREATION_FAILURE",
                                        "NVRTC_ERROR_INVALID_INPUT",
                                        "NVRTC_ERROR_INVALID_PROGRAM",
                                        "NVRTC_ERROR_INVALID_OPTION",
                                        "NVRTC_ERROR_COMPILATION",
                                        "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE",
                                        "NVRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION",
                                        "NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION",
                                        "NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID",
                                        "NVRTC_ERROR_INTERNAL_ERROR"};
    return status >= 0 && status < 12 ? names[status] : "NVRTC_ERROR unknown";
}

SGPT_API nvrtcGetNumSupportedArchs(int* count) {
    *count = static_cast<int>(std::end(architectures) - std::begin(architectures));
    return success;
}

SGPT_API nvrtcGetSupportedArchs(int* list) {
    std::copy(std::begin(architectures), std::end(architectures), list);
    return success;
}

SGPT_API nvrtcCreateProgram(void** program, const char* source, const char* name, int headers,
                            const char* const* texts, const char* const* names) {
    int injected = sgpt_standin_services()->injected_failure("nvrtcCreateProgram");
    if (injected != 0) {
        return injected;
    }
    bool has_headers = headers == 0 || (headers > 0 && texts != nullptr && names != nullptr);
    if (program == nullptr || source == nullptr || !has_headers) {
        return invalid_input;
    }
    Program* made = new Program;
    std::string file = base(name == nullptr ? "default_program" : name);
    made->file = sgpt_standin_services()->has_kernels_of(file.c_str()) ? file : "";
    made->problems = compare(file, source);
    for (int i = 0; i < headers; i++) {
        made->problems += compare(names[i], texts[i]);
    }
    std::lock_guard<std::mutex> guard(mutex);
    programs().insert(made);
    sgpt_standin_services()->count_handle("NVRTC programs", 1);
    *program = made;
    return success;
}

SGPT_API nvrtcCompileProgram(void* handle, int count, const char* const* options) {
    Program* program = live(handle);
    if (program == nullptr) {
        return invalid_program;
    }
    program->log.clear();
    int injected = sgpt_standin_services()->injected_failure("nvrtcCompileProgram");
    if (injected != 0) {
        program->log = program->file + "(1): error: failure injected by SGPT_STANDIN_FAIL\n";
        return injected;
    }
    int arch = 75;
    bool real = false;
    int status = success;
    for (int i = 0; i < count; i++) {
        int used = use_option(program, options[i], &arch, &real);
        status = status != success ? status : used;
    }
    if (status == success && !program->problems.empty()) {
        program->log = program->problems;
        status = compilation;
    }
    if (status == success) {
        program->machine_code = real;
        program->image = std::string(image_mark) + "arch=" + std::to_string(arch) + "\nptx=" + (real ? "0" : "1") +
                         "\nfile=" + program->file + "\n";
    }
    return status;
}

SGPT_API nvrtcGetProgramLogSize(void* handle, size_t* size) {
    Program* program = live(handle);
    if (program == nullptr) {
        return invalid_program;
    }
    *size = program->log.size() + 1;
    return success;
}

SGPT_API nvrtcGetProgramLog(void* handle, char* log) { return copy_text(handle, log, &Program::log, true); }

SGPT_API nvrtcGetCUBINSize(void* handle, size_t* size) {
    Program* program = live(handle);
    if (program == nullptr) {
        return invalid_program;
    }
    *size = program->machine_code ? program->image.size() + 1 : 0;
    return success;
}

SGPT_API nvrtcGetCUBIN(void* handle, char* image) {
    Program* program = live(handle);
    return copy_text(handle, image, &Program::image, program != nullptr && program->machine_code);
}

SGPT_API nvrtcGetPTXSize(void* handle, size_t* size) {
    Program* program = live(handle);
    if (program == nullptr) {
        return invalid_program;
    }
    *size = program->machine_code ? 0 : program->image.size() + 1;
    return success;
}

SGPT_API nvrtcGetPTX(void* handle, char* image) {
    Program* program = live(handle);
    return copy_text(handle, image, &Program::image, program != nullptr && !program->machine_code);
}

SGPT_API nvrtcDestroyProgram(void** handle) {
    std::lock_guard<std::mutex> guard(mutex);
    auto found = programs().find(handle == nullptr ? nullptr : static_cast<Program*>(*handle));
    if (found == programs().end()) {
        return invalid_program;
    }
    delete *found;
    programs().erase(found);
    sgpt_standin_services()->count_handle("NVRTC programs", -1);
    *handle = nullptr;
    return success;
}
