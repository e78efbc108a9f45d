// Formats of module images: nvcc's fat binaries, and the stand-in's own format, which its NVRTC produces.
#pragma once

#include <string>

namespace standin {

/// Our image: a mark, then lines "arch=NN", "ptx=0" or "ptx=1", "file=NAME".
constexpr const char* image_mark = "SGPT-STANDIN-IMAGE\n";

/// Chooses the image for a capability. Returns 0, or a CUresult with an explanation in `why`. `code` receives the
/// machine code if it can be read, `file` the only source file whose kernels the image has ("" for all).
int choose_image(const void* image, int capability, std::string* code, std::string* file, std::string* why);

}  // namespace standin
