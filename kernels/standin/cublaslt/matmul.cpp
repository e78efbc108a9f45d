// Chooses an algorithm and runs it. Checks for everything that a GPU would read or write wrongly.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <thread>

#include "../runtime/memory.h"
#include "api.h"
#include "objects.h"
#include "product.h"

using namespace standin;

namespace {

constexpr uint64_t algorithm_mark = 0x53475054'4c544d4d;  // marks the stand-in's cublasLtMatmulAlgo_t
constexpr uint64_t useful_workspace = 65536;

/// The contents of a cublasLtMatmulAlgo_t.
struct Algorithm {
    uint64_t mark;
    uint64_t kind;  // types and operations it was chosen for
    uint32_t alignment[4];
    uint64_t workspace;
    uint64_t method;  // index of methods
    uint64_t unused[2];
};
static_assert(sizeof(Algorithm) == 64, "64 bytes");

/// How a sum over k is made. Those that divide it are offered for long sums only.
struct Method {
    uint32_t reduction;  // 0: in one piece
    int64_t terms;
    bool in_d_type;
    bool any_order;  // each product adds up in another order
};

/// In the order of the heuristic, which does as badly as it may: what loses accuracy and what is not repeatable come
/// first.
constexpr Method methods[] = {
    {reduction_in_place, 64, true, true},
    {reduction_output_type, 64, true, false},
    {0, 256, false, false},
    {reduction_compute_type, 128, false, false},
};
constexpr uint64_t slow_method = 2;
constexpr int64_t long_sum = 128;

struct Result {
    Algorithm algorithm;
    size_t workspace;
    int state;
    float waves;
    int reserved[4];
};
static_assert(sizeof(Result) == 96, "96 bytes");

struct Problem {
    const Description* description;
    const Layout* layout[4];  // a, b, c, d
    int64_t m, n, k;
};

uint64_t kind_of(const Problem& p) {
    const Description& d = *p.description;
    uint64_t kind = static_cast<uint64_t>(d.compute) | static_cast<uint64_t>(d.epilogue) << 8 |
                    static_cast<uint64_t>(d.transpose_a) << 20 | static_cast<uint64_t>(d.transpose_b) << 21;
    for (int i = 0; i < 4; i++) {
        kind |= static_cast<uint64_t>(p.layout[i]->type) << (24 + 8 * i);
    }
    return kind;
}

std::string shape(const Layout& l) {
    return std::to_string(l.rows) + " x " + std::to_string(l.columns) + " (ld " + std::to_string(l.ld) + ")";
}

/// What the documentation of cublasLtMatmul asks of products in 8 bits: compute capability 8.9, a transposed and b not,
/// 32F, sizes and strides of 16 bytes, a bias in 16 bits. Results in 8 bits, e5m2 and scales are not here, nor are
/// activations as epilogues. Returns "" or the problem.
std::string check_e4m3(const Problem& p) {
    const Description& description = *p.description;
    int type = p.layout[3]->type;
    bool types = p.layout[0]->type == type_e4m3 && p.layout[1]->type == type_e4m3 && type != type_e4m3 &&
                 p.layout[2]->type == type;
    bool biased = (description.epilogue & epilogue_bias) != 0;
    int bias = type == type_f16 ? type_f16 : type_bf16;
    if (services().capability() < 89) {
        return "e4m3 on compute capability " + std::to_string(services().capability()) + ", it needs 89";
    }
    if (!types || description.compute != 68 || (biased && description.bias_type != bias)) {
        return "e4m3 with types a " + std::to_string(p.layout[0]->type) + ", b " + std::to_string(p.layout[1]->type) +
               ", c " + std::to_string(p.layout[2]->type) + ", d " + std::to_string(type) + ", bias " +
               std::to_string(description.bias_type) + ", compute type " + std::to_string(description.compute);
    }
    if (!description.transpose_a || description.transpose_b) {
        return "e4m3 needs a transposed and b not transposed";
    }
    if ((description.epilogue & (epilogue_relu | epilogue_gelu)) != 0) {
        return "e4m3 with epilogue " + std::to_string(description.epilogue);
    }
    bool sizes = p.k % 16 == 0 && (p.m * size_of(type)) % 16 == 0;
    for (int i = 0; i < 4; i++) {
        sizes = sizes && (p.layout[i]->ld * size_of(p.layout[i]->type)) % 16 == 0;
    }
    if (!sizes) {
        return "e4m3 needs sizes and strides of 16 bytes: m " + std::to_string(p.m) + ", k " + std::to_string(p.k) +
               ", a " + shape(*p.layout[0]) + ", b " + shape(*p.layout[1]) + ", d " + shape(*p.layout[3]);
    }
    return "";
}

/// Checks everything that does not depend on addresses. Returns 0, or a status after a report.
int understand(const char* function, Problem* p) {
    static const char* const letters[] = {"a", "b", "c", "d"};
    const Description& description = *p->description;
    for (int i = 0; i < 4; i++) {
        const Layout& l = *p->layout[i];
        if (l.rows == 0 || l.columns == 0 || l.ld < static_cast<int64_t>(l.rows) || l.rows > (1u << 31) ||
            l.columns > (1u << 31) || l.batches != p->layout[3]->batches) {
            return refuse(function, status_invalid_value, std::string("layout of ") + letters[i] + ": " + shape(l));
        }
    }
    const Layout& a = *p->layout[0];
    const Layout& b = *p->layout[1];
    const Layout& c = *p->layout[2];
    const Layout& d = *p->layout[3];
    p->m = static_cast<int64_t>(description.transpose_a ? a.columns : a.rows);
    p->k = static_cast<int64_t>(description.transpose_a ? a.rows : a.columns);
    p->n = static_cast<int64_t>(description.transpose_b ? b.rows : b.columns);
    int64_t k_of_b = static_cast<int64_t>(description.transpose_b ? b.columns : b.rows);
    if (k_of_b != p->k || static_cast<int64_t>(d.rows) != p->m || static_cast<int64_t>(d.columns) != p->n ||
        c.rows != d.rows || c.columns != d.columns) {
        return refuse(function, status_invalid_value,
                      "shapes do not fit: a " + shape(a) + (description.transpose_a ? " transposed" : "") + ", b " +
                          shape(b) + (description.transpose_b ? " transposed" : "") + ", c " + shape(c) + ", d " +
                          shape(d));
    }
    if (a.type == type_e4m3 || b.type == type_e4m3 || c.type == type_e4m3 || d.type == type_e4m3) {
        std::string wrong = check_e4m3(*p);
        return wrong.empty() ? 0 : refuse(function, status_not_supported, wrong);
    }
    bool types = a.type == b.type && c.type == d.type && (d.type == a.type || d.type == type_f32) &&
                 (description.compute == 68 || a.type == type_f32);
    bool biased = (description.epilogue & epilogue_bias) != 0;
    bool bias_type = !biased || description.bias_type < 0 || description.bias_type == d.type;
    bool arch = a.type != type_bf16 || services().capability() >= 80;
    if (!types || !bias_type || !arch) {
        return refuse(function, status_not_supported,
                      "types a " + std::to_string(a.type) + ", b " + std::to_string(b.type) + ", c " +
                          std::to_string(c.type) + ", d " + std::to_string(d.type) + ", bias " +
                          std::to_string(description.bias_type) + ", compute type " +
                          std::to_string(description.compute) + " on compute capability " +
                          std::to_string(services().capability()));
    }
    return 0;
}

bool objects(Problem* p, void* description, void* const* layouts) {
    p->description = live<Description>(description);
    bool all = p->description != nullptr;
    for (int i = 0; i < 4; i++) {
        p->layout[i] = live<Layout>(layouts[i]);
        all = all && p->layout[i] != nullptr;
    }
    return all;
}

uint64_t span(const Layout& l) {
    uint64_t elements = (l.columns - 1) * static_cast<uint64_t>(l.ld) + l.rows;
    elements += static_cast<uint64_t>(l.batches - 1) * static_cast<uint64_t>(l.batch_stride);
    return elements * static_cast<uint64_t>(size_of(l.type));
}

/// Checks the use of a matrix: all of it must be allocated, but only the elements in its columns are read or written.
std::string check_matrix(int device, uint64_t address, const Layout& l, int use) {
    std::string wrong = services().check_range(device, address, span(l), 0);
    uint64_t size = static_cast<uint64_t>(size_of(l.type));
    for (int64_t batch = 0; batch < l.batches && wrong.empty(); batch++) {
        for (uint64_t j = 0; j < l.columns && wrong.empty(); j++) {
            uint64_t first = static_cast<uint64_t>(batch * l.batch_stride) + j * static_cast<uint64_t>(l.ld);
            wrong = services().check_range(device, address + first * size, l.rows * size, use);
            if (!wrong.empty()) {
                wrong = "column " + std::to_string(j) + ": " + wrong;
            }
        }
    }
    return wrong;
}

struct Launch {
    Description description;
    Layout layout[4];
    int64_t m, n, k;
    uint64_t address[4];
    float alpha, beta;
    uint64_t workspace;
    size_t workspace_size;
    size_t workspace_used;
    int device;
    uint64_t method;
};

/// That of d, but for products in 8 bits never 32-bit floats.
int bias_type(const Launch& launch) {
    int type = launch.layout[3].type;
    return launch.layout[0].type == type_e4m3 && type == type_f32 ? static_cast<int>(type_bf16) : type;
}

void* real(uint64_t address) { return address == 0 ? nullptr : reinterpret_cast<void*>(address - address_tag); }

const char* advance(const void* base, const Layout& l, int64_t batch) {
    return static_cast<const char*>(base) + batch * l.batch_stride * size_of(l.type);
}

int run(const Launch& launch, std::string& why) {
    static const char* const letters[] = {"a", "b", "c"};
    const Layout* l = launch.layout;
    bool biased = (launch.description.epilogue & epilogue_bias) != 0;
    for (int i = 0; i < 3 && why.empty(); i++) {
        if (i < 2 || launch.beta != 0.0f) {
            why = check_matrix(launch.device, launch.address[i], l[i], 1);
            why = why.empty() ? why : std::string("matrix ") + letters[i] + " " + shape(l[i]) + ": " + why;
        }
    }
    if (why.empty() && biased) {
        uint64_t size = static_cast<uint64_t>(launch.m) * static_cast<uint64_t>(size_of(bias_type(launch)));
        why = services().check_range(launch.device, launch.description.bias, size, 1);
        why = why.empty() ? why : "bias of " + std::to_string(launch.m) + ": " + why;
    }
    if (why.empty()) {
        why = check_matrix(launch.device, launch.address[3], l[3], 2);
        why = why.empty() ? why : "matrix d " + shape(l[3]) + ": " + why;
    }
    if (why.empty() && launch.workspace_size > 0) {
        why = services().check_range(launch.device, launch.workspace, launch.workspace_size, 0);
        why = why.empty() ? why : "workspace: " + why;
    }
    if (!why.empty()) {
        return 700;
    }
    if (launch.workspace_used > 0) {
        services().forget(launch.workspace, launch.workspace_used);
    }
    const Method& method = methods[launch.method];
    if (launch.method == slow_method && services().slow_products() > 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(services().slow_products()));
    }
    static std::atomic<int64_t> products{0};
    for (int64_t batch = 0; batch < l[3].batches; batch++) {
        Product p;
        p.m = launch.m;
        p.n = launch.n;
        p.k = launch.k;
        p.a = {advance(real(launch.address[0]), l[0], batch), l[0].type, l[0].ld, launch.description.transpose_a};
        p.b = {advance(real(launch.address[1]), l[1], batch), l[1].type, l[1].ld, launch.description.transpose_b};
        p.c = {advance(real(launch.address[2]), l[2], batch), l[2].type, l[2].ld, false};
        p.d = const_cast<char*>(advance(real(launch.address[3]), l[3], batch));
        p.d_type = l[3].type;
        p.d_ld = l[3].ld;
        p.alpha = launch.alpha;
        p.beta = launch.beta;
        p.bias = biased ? real(launch.description.bias) : nullptr;
        p.bias_type = bias_type(launch);
        p.epilogue = launch.description.epilogue;
        p.tf32 = launch.description.compute == 77;
        p.terms = method.terms;
        p.in_d_type = method.in_d_type;
        p.first = method.any_order ? products++ : 0;
        multiply(p);
    }
    return 0;
}

bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size) { return a < b + b_size && b < a + a_size; }

/// Checks addresses at the call. Returns "" or the problem.
std::string check_addresses(const Launch& launch, const Algorithm& algorithm) {
    static const char* const letters[] = {"a", "b", "c", "d"};
    for (int i = 0; i < 4; i++) {
        bool used = i != 2 || launch.beta != 0.0f;
        int least = launch.layout[0].type == type_e4m3 ? 16 : size_of(launch.layout[i].type);
        uint32_t wanted = std::max(algorithm.alignment[i], static_cast<uint32_t>(least));
        if (used && launch.address[i] == 0) {
            return std::string("matrix ") + letters[i] + " is null";
        }
        if (used && launch.address[i] % wanted != 0) {
            return std::string("matrix ") + letters[i] + " at " + services().describe_address(launch.address[i]) +
                   " is not aligned to " + std::to_string(wanted) + " bytes, as the algorithm was chosen for";
        }
    }
    uint64_t d = launch.address[3];
    uint64_t d_size = span(launch.layout[3]);
    bool apart = !overlap(launch.address[0], span(launch.layout[0]), d, d_size) &&
                 !overlap(launch.address[1], span(launch.layout[1]), d, d_size);
    bool same_c = launch.address[2] == d && launch.layout[2].ld == launch.layout[3].ld;
    bool c_apart = launch.beta == 0.0f || same_c || !overlap(launch.address[2], span(launch.layout[2]), d, d_size);
    if (!apart || !c_apart) {
        return "d overlaps an input";
    }
    bool biased = (launch.description.epilogue & epilogue_bias) != 0;
    if (biased && (launch.description.bias == 0 ||
                   launch.description.bias % static_cast<uint64_t>(size_of(bias_type(launch))) != 0)) {
        return "the bias is null or misaligned";
    }
    if (launch.workspace_size < algorithm.workspace) {
        return "the algorithm needs " + std::to_string(algorithm.workspace) + " bytes of workspace, it has " +
               std::to_string(launch.workspace_size);
    }
    if (launch.workspace_size > 0 && launch.workspace % 16 != 0) {
        return "the workspace is not aligned to 16 bytes";
    }
    return "";
}

}  // namespace

SGPT_API cublasLtMatmulAlgoGetHeuristic(void* handle, void* description, void* a, void* b, void* c, void* d,
                                        void* preference_handle, int requested, void* results, int* returned) {
    const char* function = "cublasLtMatmulAlgoGetHeuristic";
    int injected = services().injected_failure(function);
    if (injected != 0) {
        return injected;
    }
    Problem p{};
    void* const layouts[] = {a, b, c, d};
    const Preference* preference = live<Preference>(preference_handle);
    if (live<Handle>(handle) == nullptr || !objects(&p, description, layouts) || preference == nullptr ||
        requested < 1 || results == nullptr || returned == nullptr) {
        return refuse(function, status_invalid_value, "an object does not exist (any more), or there is no room");
    }
    *returned = 0;
    int status = understand(function, &p);
    if (status != 0) {
        return status;
    }
    for (uint64_t i = 0; i < sizeof methods / sizeof *methods && *returned < requested; i++) {
        uint32_t reduction = methods[i].reduction;
        if (reduction != 0 && ((reduction & preference->reductions) == 0 || p.k <= long_sum)) {
            continue;
        }
        Result result{};
        result.algorithm.mark = algorithm_mark;
        result.algorithm.kind = kind_of(p);
        result.algorithm.method = i;
        memcpy(result.algorithm.alignment, preference->alignment, sizeof preference->alignment);
        result.algorithm.workspace = std::min(preference->workspace, useful_workspace);
        result.workspace = result.algorithm.workspace;
        result.waves = 1.0f;
        memcpy(static_cast<char*>(results) + *returned * sizeof result, &result, sizeof result);
        ++*returned;
    }
    return status_success;
}

SGPT_API cublasLtMatmul(void* handle, void* description, const void* alpha, const void* a, void* a_layout,
                        const void* b, void* b_layout, const void* beta, const void* c, void* c_layout, void* d,
                        void* d_layout, const void* algorithm, void* workspace, size_t workspace_size, void* stream) {
    const char* function = "cublasLtMatmul";
    int injected = services().injected_failure(function);
    if (injected != 0) {
        return injected;
    }
    int device = services().device();
    if (device < 0) {
        return device == -2 ? status_execution_failed
                            : refuse(function, status_not_initialized, "no context is current on this thread");
    }
    Problem p{};
    void* const layouts[] = {a_layout, b_layout, c_layout, d_layout};
    const Handle* owner = live<Handle>(handle);
    if (owner == nullptr || !objects(&p, description, layouts) || alpha == nullptr || beta == nullptr) {
        return refuse(function, status_invalid_value, "an object does not exist (any more), or a factor is missing");
    }
    if (owner->device != device) {
        return refuse(function, status_invalid_value, "the handle is another device's");
    }
    int status = understand(function, &p);
    if (status != 0) {
        return status;
    }
    Algorithm chosen{algorithm_mark, kind_of(p), {16, 16, 16, 16}, 0, slow_method, {0, 0}};
    if (algorithm != nullptr) {
        memcpy(&chosen, algorithm, sizeof chosen);
        if (chosen.mark != algorithm_mark || chosen.kind != kind_of(p) ||
            chosen.method >= sizeof methods / sizeof *methods) {
            return refuse(function, status_invalid_value, "the algorithm was chosen for other types or operations");
        }
    }
    Launch launch{*p.description,
                  {*p.layout[0], *p.layout[1], *p.layout[2], *p.layout[3]},
                  p.m,
                  p.n,
                  p.k,
                  {reinterpret_cast<uint64_t>(a), reinterpret_cast<uint64_t>(b), reinterpret_cast<uint64_t>(c),
                   reinterpret_cast<uint64_t>(d)},
                  0.0f,
                  0.0f,
                  reinterpret_cast<uint64_t>(workspace),
                  workspace_size,
                  chosen.workspace,
                  device,
                  chosen.method};
    memcpy(&launch.alpha, alpha, sizeof(float));
    memcpy(&launch.beta, beta, sizeof(float));
    std::string wrong = check_addresses(launch, chosen);
    if (!wrong.empty()) {
        return refuse(function, status_invalid_value, wrong);
    }
    int queued = services().enqueue(stream, function, [launch](std::string& why) { return run(launch, why); });
    if (queued == 400) {
        return refuse(function, status_invalid_value, "this is no stream of this context");
    }
    return queued == 0 ? status_success : status_execution_failed;
}
