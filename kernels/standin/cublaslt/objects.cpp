// Creating, describing and destroying.
#include "objects.h"

#include <cstring>
#include <mutex>
#include <set>

#include "api.h"
#include "product.h"

namespace standin {

namespace {

std::mutex mutex;

template <class T>
std::set<T*>& all() {
    static std::set<T*>* const objects = new std::set<T*>;
    return *objects;
}

template <class T>
int add(void** out, T* object, const char* kind) {
    if (out == nullptr) {
        delete object;
        return status_invalid_value;
    }
    std::lock_guard<std::mutex> guard(mutex);
    all<T>().insert(object);
    services().count_handle(kind, 1);
    *out = object;
    return status_success;
}

template <class T>
int remove(const char* function, void* handle, const char* kind) {
    std::lock_guard<std::mutex> guard(mutex);
    auto found = all<T>().find(static_cast<T*>(handle));
    if (found == all<T>().end()) {
        return refuse(function, status_invalid_value, "this object does not exist (any more)");
    }
    delete *found;
    all<T>().erase(found);
    services().count_handle(kind, -1);
    return status_success;
}

template <class V>
bool take(V* to, const void* value, size_t size) {
    if (value == nullptr || size != sizeof(V)) {
        return false;
    }
    memcpy(to, value, sizeof(V));
    return true;
}

bool is_type(int type) {
    return type == type_f32 || type == type_f16 || type == type_bf16 || type == type_e4m3;
}

constexpr const char* handle_kind = "cublasLt handles";
constexpr const char* description_kind = "cublasLt matmul descriptions";
constexpr const char* layout_kind = "cublasLt matrix layouts";
constexpr const char* preference_kind = "cublasLt preferences";

}  // namespace

const Services& services() { return *sgpt_standin_services(); }

int refuse(const char* function, int status, const std::string& what) {
    services().report(std::string(function) + ": " + what);
    return status;
}

template <class T>
T* live(void* handle) {
    std::lock_guard<std::mutex> guard(mutex);
    auto found = all<T>().find(static_cast<T*>(handle));
    return found == all<T>().end() ? nullptr : *found;
}

template Handle* live<Handle>(void*);
template Description* live<Description>(void*);
template Layout* live<Layout>(void*);
template Preference* live<Preference>(void*);

}  // namespace standin

using namespace standin;

SGPT_API cublasLtCreate(void** handle) {
    int injected = services().injected_failure("cublasLtCreate");
    if (injected != 0) {
        return injected;
    }
    int device = services().device();
    if (device < 0) {
        return refuse("cublasLtCreate", status_not_initialized, "no working context is current on this thread");
    }
    return add(handle, new Handle{device}, handle_kind);
}

SGPT_API cublasLtDestroy(void* handle) { return remove<Handle>("cublasLtDestroy", handle, handle_kind); }

SGPT_EXPORT size_t cublasLtGetVersion(void) { return 130000; }

namespace {

struct Name {
    int status;
    const char* name;
    const char* text;
};

const Name& name_of(int status) {
    static const Name names[] = {
        {0, "CUBLAS_STATUS_SUCCESS", "success"},
        {1, "CUBLAS_STATUS_NOT_INITIALIZED", "the library was not initialized"},
        {3, "CUBLAS_STATUS_ALLOC_FAILED", "the resource allocation failed"},
        {7, "CUBLAS_STATUS_INVALID_VALUE", "an unsupported value or parameter was passed to the function"},
        {8, "CUBLAS_STATUS_ARCH_MISMATCH", "the function requires an architectural feature absent from the device"},
        {11, "CUBLAS_STATUS_MAPPING_ERROR", "an access to GPU memory space failed"},
        {13, "CUBLAS_STATUS_EXECUTION_FAILED", "the function failed to launch on the GPU"},
        {14, "CUBLAS_STATUS_INTERNAL_ERROR", "an internal operation failed"},
        {15, "CUBLAS_STATUS_NOT_SUPPORTED", "the requested functionality is not supported"},
        {16, "CUBLAS_STATUS_LICENSE_ERROR", "the license check failed"},
        {-1, "unrecognized status", "unrecognized status"},
    };
    const Name* name = names;
    while (name->status != status && name->status != -1) {
        name++;
    }
    return *name;
}

}  // namespace

SGPT_EXPORT const char* cublasLtGetStatusName(int status) { return name_of(status).name; }
SGPT_EXPORT const char* cublasLtGetStatusString(int status) { return name_of(status).text; }

SGPT_API cublasLtMatmulDescCreate(void** description, int compute_type, int scale_type) {
    int injected = services().injected_failure("cublasLtMatmulDescCreate");
    if (injected != 0) {
        return injected;
    }
    if ((compute_type != 68 && compute_type != 77) || scale_type != type_f32) {
        return refuse("cublasLtMatmulDescCreate", status_not_supported,
                      "compute type " + std::to_string(compute_type) + " with scale type " +
                          std::to_string(scale_type) + ": the stand-in has 68 (32F) and 77 (32F_FAST_TF32) with 0");
    }
    Description made{};
    made.compute = compute_type;
    return add(description, new Description(made), description_kind);
}

SGPT_API cublasLtMatmulDescSetAttribute(void* handle, int attribute, const void* value, size_t size) {
    const char* function = "cublasLtMatmulDescSetAttribute";
    Description* d = live<Description>(handle);
    int32_t number = 0;
    bool fits = d != nullptr;
    switch (attribute) {
        case 2:  // POINTER_MODE
        case 3:  // TRANSA
        case 4:  // TRANSB
        case 5:  // TRANSC
            fits = fits && take(&number, value, size) && number >= 0 && number <= (attribute == 3 || attribute == 4);
            if (fits && attribute == 3) {
                d->transpose_a = number == 1;
            } else if (fits && attribute == 4) {
                d->transpose_b = number == 1;
            }
            break;
        case 7: {  // EPILOGUE
            uint32_t epilogue = 0;
            fits = fits && take(&epilogue, value, size);
            bool known = epilogue == 1 || epilogue == 2 || epilogue == 4 || epilogue == 6 || epilogue == 32 ||
                         epilogue == 36;
            if (fits && !known) {
                return refuse(function, status_not_supported, "epilogue " + std::to_string(epilogue));
            }
            if (fits) {
                d->epilogue = epilogue;
            }
            break;
        }
        case 8:  // BIAS_POINTER
            fits = fits && take(&d->bias, value, size);
            break;
        case 26:  // BIAS_DATA_TYPE
            fits = fits && take(&number, value, size) && is_type(number);
            if (fits) {
                d->bias_type = number;
            }
            break;
        default:
            return refuse(function, status_not_supported, "attribute " + std::to_string(attribute));
    }
    return fits ? status_success
                : refuse(function, status_invalid_value,
                         "attribute " + std::to_string(attribute) + " of " + std::to_string(size) + " bytes");
}

SGPT_API cublasLtMatmulDescDestroy(void* handle) {
    return remove<Description>("cublasLtMatmulDescDestroy", handle, description_kind);
}

SGPT_API cublasLtMatrixLayoutCreate(void** layout, int type, uint64_t rows, uint64_t columns, int64_t ld) {
    int injected = services().injected_failure("cublasLtMatrixLayoutCreate");
    if (injected != 0) {
        return injected;
    }
    if (!is_type(type)) {
        return refuse("cublasLtMatrixLayoutCreate", status_not_supported, "type " + std::to_string(type));
    }
    Layout made{};
    made.type = type;
    made.rows = rows;
    made.columns = columns;
    made.ld = ld;
    made.batches = 1;
    return add(layout, new Layout(made), layout_kind);
}

SGPT_API cublasLtMatrixLayoutSetAttribute(void* handle, int attribute, const void* value, size_t size) {
    const char* function = "cublasLtMatrixLayoutSetAttribute";
    Layout* layout = live<Layout>(handle);
    bool fits = layout != nullptr;
    switch (attribute) {
        case 5:  // BATCH_COUNT
            fits = fits && take(&layout->batches, value, size) && layout->batches > 0;
            break;
        case 6:  // STRIDED_BATCH_OFFSET
            fits = fits && take(&layout->batch_stride, value, size);
            break;
        default:
            return refuse(function, status_not_supported, "attribute " + std::to_string(attribute));
    }
    return fits ? status_success : refuse(function, status_invalid_value, "attribute " + std::to_string(attribute));
}

SGPT_API cublasLtMatrixLayoutDestroy(void* handle) {
    return remove<Layout>("cublasLtMatrixLayoutDestroy", handle, layout_kind);
}

SGPT_API cublasLtMatmulPreferenceCreate(void** preference) {
    int injected = services().injected_failure("cublasLtMatmulPreferenceCreate");
    return injected != 0 ? injected : add(preference, new Preference(), preference_kind);
}

SGPT_API cublasLtMatmulPreferenceSetAttribute(void* handle, int attribute, const void* value, size_t size) {
    const char* function = "cublasLtMatmulPreferenceSetAttribute";
    Preference* preference = live<Preference>(handle);
    bool fits = preference != nullptr;
    if (attribute == 1) {
        fits = fits && take(&preference->workspace, value, size);
    } else if (attribute == 3) {  // REDUCTION_SCHEME_MASK
        uint32_t mask = 0;
        fits = fits && take(&mask, value, size) && mask <= reduction_mask;
        if (fits) {
            preference->reductions = mask;
        }
    } else if (attribute >= 5 && attribute <= 8) {
        uint32_t* alignment = preference == nullptr ? nullptr : &preference->alignment[attribute - 5];
        fits = fits && take(alignment, value, size) && *alignment > 0 && (*alignment & (*alignment - 1)) == 0;
    } else {
        return refuse(function, status_not_supported, "attribute " + std::to_string(attribute));
    }
    return fits ? status_success : refuse(function, status_invalid_value, "attribute " + std::to_string(attribute));
}

SGPT_API cublasLtMatmulPreferenceDestroy(void* handle) {
    return remove<Preference>("cublasLtMatmulPreferenceDestroy", handle, preference_kind);
}
