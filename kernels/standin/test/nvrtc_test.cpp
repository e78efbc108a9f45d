// NVRTC accepts the sources that the stand-in was built from, and nothing else.
#include <cstring>
#include <fstream>
#include <sstream>

#include "harness.h"

extern "C" {
int nvrtcCreateProgram(void** program, const char* source, const char* name, int headers, const char* const* texts,
                       const char* const* names);
int nvrtcCompileProgram(void* program, int count, const char* const* options);
int nvrtcGetProgramLogSize(void* program, size_t* size);
int nvrtcGetProgramLog(void* program, char* log);
int nvrtcGetCUBINSize(void* program, size_t* size);
int nvrtcGetCUBIN(void* program, char* image);
int nvrtcDestroyProgram(void** program);
}

namespace {

std::string source() {
    std::ifstream file(std::string(SGPT_STANDIN_TEST_SOURCES) + "/correct.cu");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

int compile(const std::string& text, const char* option, std::string* image, std::string* log) {
    void* program = nullptr;
    SAME(0, nvrtcCreateProgram(&program, text.c_str(), "correct.cu", 0, nullptr, nullptr));
    const char* options[] = {option, "--std=c++17"};
    int status = nvrtcCompileProgram(program, 2, options);
    size_t size = 0;
    SAME(0, nvrtcGetProgramLogSize(program, &size));
    log->resize(size);
    SAME(0, nvrtcGetProgramLog(program, log->data()));
    if (status == 0) {
        SAME(0, nvrtcGetCUBINSize(program, &size));
        image->resize(size);
        SAME(0, nvrtcGetCUBIN(program, image->data()));
    }
    SAME(0, nvrtcDestroyProgram(&program));
    SAME(4, nvrtcDestroyProgram(&program));
    return status;
}

}  // namespace

void test_nvrtc() {
    std::string text = source();
    std::string image;
    std::string log;
    CHECK(!text.empty());
    SAME(0, compile(text, "--gpu-architecture=sm_90", &image, &log));
    Session s;
    void* module = nullptr;
    void* function = nullptr;
    SAME(0, cuModuleLoadData(&module, image.data()));
    SAME(0, cuModuleGetFunction(&function, module, "ok_scale"));
    SAME(500, cuModuleGetFunction(&function, module, "bad_trap"));
    SAME(0, cuModuleUnload(module));
    SAME(0, compile(text, "-arch=sm_80", &image, &log));
    SAME(209, cuModuleLoadData(&module, image.data()));
    SAME(6, compile(text + " ", "-arch=sm_90", &image, &log));
    CHECK(log.find("correct.cu") != std::string::npos);
    SAME(5, compile(text, "-arch=sm_42", &image, &log));
    SAME(5, compile(text, "--no-such-option", &image, &log));
    option("SGPT_STANDIN_FAIL", "nvrtcCompileProgram:6@1");
    {
        Session again;  // contexts read the options
        SAME(6, compile(text, "-arch=sm_90", &image, &log));
    }
    option("SGPT_STANDIN_FAIL", "");
}
