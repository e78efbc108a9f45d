// CUDA's declaration words, and how a kernel becomes known to the stand-in.
/// Makes a kernel known to the launcher: at namespace scope, after a declaration of an extern "C" kernel.
#define SGPT_REGISTER(name, threads)                   \
    static const standin::Kernel standin_kernel_##name = { \
        #name,                                         \
        __FILE__,                                      \
        threads,                                       \
        standin::Entry<&name>::count,                  \
        standin::Entry<&name>::parameters,             \
        &standin::Entry<&name>::call};                 \
    static const standin::Registration standin_registration_##name(&standin_kernel_##name);
