// CUDA's declaration keywords, and the registration of kernels.
#pragma once

#define __global__ __attribute__((noinline, used, visibility("hidden")))
#define __launch_bounds__(...)
#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __align__(n) __attribute__((aligned(n)))
#define __grid_constant__
#define __maxnreg__(n)

// All shared memory is dynamic: standin::dynamic_shared().
#define __shared__ static_assert(false, "static __shared__ memory is not emulated, use dynamic shared memory");
#define __constant__ static_assert(false, "__constant__ memory is not emulated, use parameters");

namespace standin {

/// A kernel parameter, as far as the launcher needs to know it.
struct Parameter {
    unsigned size;
    bool pointer;
};

struct Kernel {
    const char* name;
    const char* file;
    int max_threads;  // __launch_bounds__, 1024 without
    int parameter_count;
    const Parameter* parameters;
    void (*call)(void* const* arguments);  // runs one thread
};

void add_kernel(const Kernel* kernel);

template <class T>
struct IsPointer {
    static constexpr bool value = false;
};
template <class T>
struct IsPointer<T*> {
    static constexpr bool value = true;
};
template <class T>
struct Plain {
    using type = T;
};
template <class T>
struct Plain<const T> {
    using type = T;
};
template <class T>
struct Plain<T* __restrict__> {
    using type = T*;
};

template <class T>
constexpr Parameter describe() {
    static_assert(sizeof(T) <= 8, "kernel parameters are scalars and pointers");
    return {sizeof(T), IsPointer<typename Plain<T>::type>::value};
}

template <auto function, class Signature = decltype(function)>
struct Entry;

template <auto function, class... A>
struct Entry<function, void (*)(A...)> {
    static constexpr int count = sizeof...(A);
    static constexpr Parameter parameters[count + 1] = {describe<A>()..., {0, false}};

    template <int... I>
    struct Indices {};
    template <int n, int... I>
    struct Make : Make<n - 1, n - 1, I...> {};
    template <int... I>
    struct Make<0, I...> {
        using type = Indices<I...>;
    };

    template <int... I>
    __attribute__((no_sanitize("thread", "undefined"))) static void apply(void* const* arguments, Indices<I...>) {
        function(*static_cast<typename Plain<A>::type*>(arguments[I])...);
    }
    __attribute__((no_sanitize("thread", "undefined"))) static void call(void* const* arguments) {
        apply(arguments, typename Make<count>::type());
    }
};

struct Registration {
    explicit Registration(const Kernel* kernel) { add_kernel(kernel); }
};

}  // namespace standin

/// Registers a kernel with the launcher. Use it at namespace scope, after a declaration of an extern "C" kernel.
#define SGPT_REGISTER(name, threads)                       \
    static const standin::Kernel standin_kernel_##name = { \
        #name,                                             \
        __FILE__,                                          \
        threads,                                           \
        standin::Entry<&name>::count,                      \
        standin::Entry<&name>::parameters,                 \
        &standin::Entry<&name>::call};                     \
    static const standin::Registration standin_registration_##name(&standin_kernel_##name);
