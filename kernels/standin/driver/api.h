// The libcuda.so.1 functions that the stand-in implements. Statuses are ints, handles are void*.
#pragma once

#include <cstddef>
#include <cstdint>

#define SGPT_EXPORT extern "C" __attribute__((visibility("default")))
#define SGPT_API SGPT_EXPORT int

SGPT_API cuInit(unsigned flags);
SGPT_API cuDriverGetVersion(int* version);
SGPT_API cuGetErrorName(int code, const char** out);
SGPT_API cuGetErrorString(int code, const char** out);
SGPT_API cuDeviceGetCount(int* count);
SGPT_API cuDeviceGet(int* device, int ordinal);
SGPT_API cuDeviceGetName(char* name, int length, int device);
SGPT_API cuDeviceGetUuid_v2(void* uuid, int device);
SGPT_API cuDeviceTotalMem_v2(size_t* bytes, int device);
SGPT_API cuDeviceGetAttribute(int* value, int attribute, int device);
SGPT_API cuDevicePrimaryCtxRetain(void** context, int device);
SGPT_API cuDevicePrimaryCtxRelease_v2(int device);
SGPT_API cuDevicePrimaryCtxReset_v2(int device);
SGPT_API cuDevicePrimaryCtxGetState(int device, unsigned* flags, int* active);
SGPT_API cuCtxSetCurrent(void* context);
SGPT_API cuCtxGetCurrent(void** context);
SGPT_API cuCtxSynchronize(void);
SGPT_API cuMemGetInfo_v2(size_t* free, size_t* total);
SGPT_API cuMemAlloc_v2(uint64_t* address, size_t bytes);
SGPT_API cuMemFree_v2(uint64_t address);
SGPT_API cuMemHostAlloc(void** address, size_t bytes, unsigned flags);
SGPT_API cuMemFreeHost(void* address);
SGPT_API cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void* stream);
SGPT_API cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void* stream);
SGPT_API cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void* stream);
SGPT_API cuMemsetD8Async(uint64_t to, unsigned char value, size_t count, void* stream);
SGPT_API cuMemsetD32Async(uint64_t to, unsigned value, size_t count, void* stream);
SGPT_API cuStreamCreate(void** stream, unsigned flags);
SGPT_API cuStreamSynchronize(void* stream);
SGPT_API cuStreamQuery(void* stream);
SGPT_API cuStreamWaitEvent(void* stream, void* event, unsigned flags);
SGPT_API cuStreamDestroy_v2(void* stream);
SGPT_API cuEventCreate(void** event, unsigned flags);
SGPT_API cuEventRecord(void* event, void* stream);
SGPT_API cuEventSynchronize(void* event);
SGPT_API cuEventQuery(void* event);
SGPT_API cuEventElapsedTime(float* milliseconds, void* start, void* end);
SGPT_API cuEventElapsedTime_v2(float* milliseconds, void* start, void* end);
SGPT_API cuEventDestroy_v2(void* event);
SGPT_API cuStreamBeginCapture_v2(void* stream, int mode);
SGPT_API cuStreamEndCapture(void* stream, void** graph);
SGPT_API cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long flags);
SGPT_API cuGraphLaunch(void* executable, void* stream);
SGPT_API cuGraphDestroy(void* graph);
SGPT_API cuGraphExecDestroy(void* executable);
SGPT_API cuModuleLoadData(void** module, const void* image);
SGPT_API cuModuleLoadDataEx(void** module, const void* image, unsigned options, int* names, void** values);
SGPT_API cuModuleGetFunction(void** function, void* module, const char* name);
SGPT_API cuModuleUnload(void* module);
SGPT_API cuFuncGetAttribute(int* value, int attribute, void* function);
SGPT_API cuFuncSetAttribute(void* function, int attribute, int value);
SGPT_API cuLaunchKernel(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                        unsigned block_y, unsigned block_z, unsigned shared, void* stream, void** parameters,
                        void** extra);
