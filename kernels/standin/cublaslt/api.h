// The libcublasLt functions that the stand-in implements.
#pragma once

#include <cstddef>
#include <cstdint>

#define SGPT_EXPORT extern "C" __attribute__((visibility("default")))
#define SGPT_API SGPT_EXPORT int

SGPT_API cublasLtCreate(void** handle);
SGPT_API cublasLtDestroy(void* handle);
SGPT_EXPORT size_t cublasLtGetVersion(void);
SGPT_EXPORT const char* cublasLtGetStatusName(int status);
SGPT_EXPORT const char* cublasLtGetStatusString(int status);
SGPT_API cublasLtMatmulDescCreate(void** description, int compute_type, int scale_type);
SGPT_API cublasLtMatmulDescSetAttribute(void* description, int attribute, const void* value, size_t size);
SGPT_API cublasLtMatmulDescDestroy(void* description);
SGPT_API cublasLtMatrixLayoutCreate(void** layout, int type, uint64_t rows, uint64_t columns, int64_t ld);
SGPT_API cublasLtMatrixLayoutSetAttribute(void* layout, int attribute, const void* value, size_t size);
SGPT_API cublasLtMatrixLayoutDestroy(void* layout);
SGPT_API cublasLtMatmulPreferenceCreate(void** preference);
SGPT_API cublasLtMatmulPreferenceSetAttribute(void* preference, int attribute, const void* value, size_t size);
SGPT_API cublasLtMatmulPreferenceDestroy(void* preference);
SGPT_API cublasLtMatmulAlgoGetHeuristic(void* handle, void* description, void* a, void* b, void* c, void* d,
                                        void* preference, int requested, void* results, int* returned);
SGPT_API cublasLtMatmul(void* handle, void* description, const void* alpha, const void* a, void* a_layout,
                        const void* b, void* b_layout, const void* beta, const void* c, void* c_layout, void* d,
                        void* d_layout, const void* algorithm, void* workspace, size_t workspace_size, void* stream);
