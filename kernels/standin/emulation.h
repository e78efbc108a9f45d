// Everything that a .cu file needs to be compiled by g++ (C++17, -DSGPT_STANDIN) and run on the host by the stand-in.
//
// Include it before any device code, in place of nvcc's own environment. It provides the CUDA C++ language
// (`__global__`, `threadIdx`, `__syncthreads`, shuffles, votes, atomics, vector types, half and bfloat16, intrinsics)
// and, in namespace `standin`, the operations that device code writes as inline PTX: shared memory, cp.async, ldmatrix,
// mma.sync, approximate functions. All of it follows CUDA's and PTX's documentation, not the behaviour of one GPU.
//
// Loads and stores are plain C++. The compiler adds thread-sanitizer calls around each of them (-fsanitize=thread,
// -fsanitize=alignment), which are implemented by the stand-in instead of libtsan.
#pragma once

#ifndef SGPT_STANDIN
#error "emulation.h is for the stand-in only: define SGPT_STANDIN"
#endif

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "emulation/language.h"
#include "emulation/vectors.h"
#include "emulation/threads.h"
#include "emulation/atomics.h"
#include "emulation/math.h"
#include "emulation/numbers.h"
#include "emulation/half.h"
#include "emulation/bfloat16.h"
#include "emulation/float8.h"
#include "emulation/tensor.h"
