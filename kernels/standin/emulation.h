// What a .cu file needs to be compiled by g++ (C++17, -DSGPT_STANDIN) and run on the host by the stand-in.
//
// Include it where nvcc's own environment would be: before any device code. It gives the CUDA C++ language
// (`__global__`, `threadIdx`, `__syncthreads`, shuffles, votes, atomics, vector types, half and bfloat16, intrinsics)
// and, in namespace `standin`, what device code writes as inline PTX: shared memory, cp.async, ldmatrix, mma.sync,
// approximate functions. Everything here is defined by CUDA's and PTX's documentation, nothing by one GPU's habits.
//
// Loads and stores are plain C++: the compiler is asked for thread-sanitizer calls around each of them
// (-fsanitize=thread, -fsanitize=alignment), and the stand-in, not libtsan, answers these calls.
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
#include "emulation/tensor.h"
