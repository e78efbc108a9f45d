// Products compared with naive sums in double, and calls that must be refused.
#include "../cublaslt/api.h"

#include <cmath>
#include <cstring>

#include "../emulation.h"
#include "harness.h"

namespace {

struct Case {
    int m, n, k;
    bool ta, tb;
    int in, out;  // 0 f32, 2 f16, 14 bf16, 28 e4m3
    int epilogue;
    float beta;
    int extra;  // added to leading dimensions
    int compute;
};

float load(int type, const std::vector<char>& data, size_t i) {
    if (type == 0) {
        float v;
        memcpy(&v, &data[i * 4], 4);
        return v;
    }
    if (type == 28) {
        return standin::e4m3_to_float(static_cast<uint8_t>(data[i]));
    }
    uint16_t v;
    memcpy(&v, &data[i * 2], 2);
    return type == 2 ? standin::half_to_float(v) : standin::bfloat16_to_float(v);
}

void store(int type, std::vector<char>* data, size_t i, float value) {
    if (type == 0) {
        memcpy(&(*data)[i * 4], &value, 4);
        return;
    }
    if (type == 28) {
        (*data)[i] = static_cast<char>(standin::float_to_e4m3(value));
        return;
    }
    uint16_t v = type == 2 ? standin::float_to_half(value) : standin::float_to_bfloat16(value);
    memcpy(&(*data)[i * 2], &v, 2);
}

size_t width(int type) { return type == 0 ? 4 : type == 28 ? 1 : 2; }

struct Host {
    int type, rows, columns, ld;
    std::vector<char> data;

    Host(int type_, int rows_, int columns_, int extra, unsigned seed)
        : type(type_), rows(rows_), columns(columns_), ld(rows_ + extra) {
        data.resize(static_cast<size_t>(ld) * static_cast<size_t>(columns) * width(type));
        for (size_t i = 0; i < data.size() / width(type); i++) {
            seed = seed * 1664525u + 1013904223u;
            store(type, &data, i, static_cast<float>(static_cast<int>(seed >> 16) % 1000 - 500) / 500.0f);
        }
    }
    double at(int row, int column, bool transposed = false) const {
        size_t i = transposed ? static_cast<size_t>(row) * static_cast<size_t>(ld) + static_cast<size_t>(column)
                              : static_cast<size_t>(column) * static_cast<size_t>(ld) + static_cast<size_t>(row);
        return static_cast<double>(load(type, data, i));
    }
    size_t span() const {
        return (static_cast<size_t>(ld) * static_cast<size_t>(columns - 1) + static_cast<size_t>(rows)) * width(type);
    }
    uint64_t upload(Session& s) const {
        // Exactly as long as cuBLASLt may access, so that an access one element beyond is detected.
        return s.upload(std::vector<char>(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(span())));
    }
};

class Lt {
public:
    Lt() { SAME(0, cublasLtCreate(&handle)); }
    ~Lt() {
        SAME(0, cublasLtDestroy(handle));
        for (void* layout : layouts_) {
            SAME(0, cublasLtMatrixLayoutDestroy(layout));
        }
        if (description != nullptr) {
            SAME(0, cublasLtMatmulDescDestroy(description));
        }
    }
    void describe(int compute, bool ta, bool tb, int epilogue, uint64_t bias, int bias_type) {
        int32_t a = ta ? 1 : 0;
        int32_t b = tb ? 1 : 0;
        SAME(0, cublasLtMatmulDescCreate(&description, compute, 0));
        SAME(0, cublasLtMatmulDescSetAttribute(description, 3, &a, 4));
        SAME(0, cublasLtMatmulDescSetAttribute(description, 4, &b, 4));
        SAME(0, cublasLtMatmulDescSetAttribute(description, 7, &epilogue, 4));
        SAME(0, cublasLtMatmulDescSetAttribute(description, 8, &bias, 8));
        SAME(0, cublasLtMatmulDescSetAttribute(description, 26, &bias_type, 4));
    }
    void* layout(const Host& h) {
        void* l = nullptr;
        SAME(0, cublasLtMatrixLayoutCreate(&l, h.type, static_cast<uint64_t>(h.rows), static_cast<uint64_t>(h.columns),
                                           h.ld));
        layouts_.push_back(l);
        return l;
    }
    void* handle = nullptr;
    void* description = nullptr;

private:
    std::vector<void*> layouts_;
};

float rounded(int type, double value) {
    float f = static_cast<float>(value);
    return type == 0 ? f : type == 2 ? standin::half_to_float(standin::float_to_half(f))
                                     : standin::bfloat16_to_float(standin::float_to_bfloat16(f));
}

double reference(const Case& c, const Host& a, const Host& b, const Host& d, const Host& bias, int i, int j) {
    double sum = 0;
    for (int l = 0; l < c.k; l++) {
        double x = a.at(i, l, c.ta);
        double y = b.at(l, j, c.tb);
        if (c.compute == 77) {
            x = static_cast<double>(standin::float_to_tf32(static_cast<float>(x)));
            y = static_cast<double>(standin::float_to_tf32(static_cast<float>(y)));
        }
        sum += x * y;
    }
    sum = 1.5 * sum + static_cast<double>(c.beta) * d.at(i, j);
    if ((c.epilogue & 4) != 0) {
        sum += bias.at(i, 0);
    }
    if ((c.epilogue & 2) != 0) {
        sum = std::fmax(sum, 0.0);
    }
    if ((c.epilogue & 32) != 0) {
        sum = 0.5 * sum * (1 + std::tanh(std::sqrt(2 / M_PI) * (sum + 0.044715 * sum * sum * sum)));
    }
    return sum;
}

void run(const Case& c) {
    Session s;
    Lt lt;
    Host a(c.in, c.ta ? c.k : c.m, c.ta ? c.m : c.k, c.extra, 1);
    Host b(c.in, c.tb ? c.n : c.k, c.tb ? c.k : c.n, c.extra, 2);
    Host d(c.out, c.m, c.n, c.extra, 3);
    Host bias(c.in == 28 && c.out == 0 ? 14 : c.out, c.m, 1, 0, 4);
    lt.describe(c.compute, c.ta, c.tb, c.epilogue, bias.upload(s), bias.type);
    void* la = lt.layout(a);
    void* lb = lt.layout(b);
    void* ld = lt.layout(d);
    uint64_t address = d.upload(s);
    void* preference = nullptr;
    uint64_t workspace_bytes = 1 << 20;
    SAME(0, cublasLtMatmulPreferenceCreate(&preference));
    SAME(0, cublasLtMatmulPreferenceSetAttribute(preference, 1, &workspace_bytes, 8));
    uint32_t exact = 2;
    SAME(0, cublasLtMatmulPreferenceSetAttribute(preference, 3, &exact, 4));
    char result[96];
    int found = 0;
    SAME(0, cublasLtMatmulAlgoGetHeuristic(lt.handle, lt.description, la, lb, ld, ld, preference, 1, result, &found));
    SAME(1, found);
    SAME(0, cublasLtMatmulPreferenceDestroy(preference));
    float alpha = 1.5f;
    auto pointer = [](uint64_t p) { return reinterpret_cast<void*>(p); };
    void* out = pointer(address);
    SAME(0, cublasLtMatmul(lt.handle, lt.description, &alpha, pointer(a.upload(s)), la, pointer(b.upload(s)), lb,
                           &c.beta, out, ld, out, ld, result, pointer(s.memory(workspace_bytes)), workspace_bytes,
                           s.stream));
    std::vector<char> got = s.download<char>(address, d.span());
    int wrong = 0;
    double tolerance = c.out == 0 ? 2e-6 * c.k : c.out == 2 ? 2e-3 : 1.6e-2;
    for (int j = 0; j < c.n; j++) {
        for (int i = 0; i < c.m; i++) {
            double expected = reference(c, a, b, d, bias, i, j);
            size_t index = static_cast<size_t>(j) * static_cast<size_t>(d.ld) + static_cast<size_t>(i);
            double value = static_cast<double>(load(c.out, got, index));
            double near = static_cast<double>(rounded(c.out, expected));
            wrong += std::fabs(value - near) <= tolerance * (1e-1 + std::fabs(expected)) ? 0 : 1;
        }
        for (int i = c.m; i < d.ld && j + 1 < c.n; i++) {  // what lies between columns stays
            size_t index = static_cast<size_t>(j) * static_cast<size_t>(d.ld) + static_cast<size_t>(i);
            wrong += load(c.out, got, index) == load(c.out, d.data, index) ? 0 : 1;
        }
    }
    if (wrong != 0) {
        printf("  m %d n %d k %d, transposed %d %d, types %d %d, epilogue %d, compute %d\n", c.m, c.n, c.k, c.ta, c.tb,
               c.in, c.out, c.epilogue, c.compute);
    }
    SAME(0, wrong);
}

/// One refused or failing product: `change` breaks one thing.
struct Setup {
    int type = 14;
    int columns_b = 8;
    uint64_t a, b, d, workspace;
    uint64_t bias;
    size_t workspace_bytes = 1 << 17;
    int64_t ld = 16;
    unsigned epilogue = 4;
};

int attempt(const std::function<void(Session&, Setup&)>& change, int* synchronized) {
    Session s;
    Setup u;
    u.a = s.upload(std::vector<uint16_t>(16 * 16));
    u.b = s.upload(std::vector<uint16_t>(16 * 8));
    u.d = s.memory(16 * 8 * 2);
    u.bias = s.upload(std::vector<uint16_t>(16));
    u.workspace = s.memory(u.workspace_bytes);
    change(s, u);
    Lt lt;
    lt.describe(68, true, false, static_cast<int>(u.epilogue), u.bias, u.type);
    Host ha(u.type, 16, 16, 0, 1);
    Host hb(u.type, 16, u.columns_b, static_cast<int>(u.ld) - 16, 1);
    Host hd(u.type, 16, 8, 0, 1);
    void* la = lt.layout(ha);
    void* lb = lt.layout(hb);
    void* ld = lt.layout(hd);
    void* preference = nullptr;
    uint64_t most = 1 << 17;
    SAME(0, cublasLtMatmulPreferenceCreate(&preference));
    SAME(0, cublasLtMatmulPreferenceSetAttribute(preference, 1, &most, 8));
    char result[96];
    int found = 0;
    int status =
        cublasLtMatmulAlgoGetHeuristic(lt.handle, lt.description, la, lb, ld, ld, preference, 1, result, &found);
    SAME(0, cublasLtMatmulPreferenceDestroy(preference));
    *synchronized = 0;
    if (status == 0) {
        float alpha = 1.0f;
        float beta = 0.0f;
        auto pointer = [](uint64_t p) { return reinterpret_cast<void*>(p); };
        status = cublasLtMatmul(lt.handle, lt.description, &alpha, pointer(u.a), la, pointer(u.b), lb, &beta,
                                pointer(u.d), ld, pointer(u.d), ld, result, pointer(u.workspace), u.workspace_bytes,
                                s.stream);
        *synchronized = cuStreamSynchronize(s.stream);
    }
    return status;
}

void refused(int status, int later, const char* words, const std::function<void(Session&, Setup&)>& change) {
    int synchronized = 0;
    SAME(status, attempt(change, &synchronized));
    SAME(later, synchronized);
    REPORTED(words);
}

void refusals() {
    int synchronized = 0;
    SAME(0, attempt([](Session&, Setup&) {}, &synchronized));
    SAME(0, synchronized);
    refused(7, 0, "shapes do not fit", [](Session&, Setup& u) { u.columns_b = 9; });
    refused(7, 0, "layout of b", [](Session&, Setup& u) { u.ld = 15; });
    refused(7, 0, "aligned to 256", [](Session& s, Setup& u) { u.a = s.upload(std::vector<uint16_t>(16 * 17)) + 32; });
    refused(7, 0, "overlaps", [](Session&, Setup& u) { u.d = u.a; });
    refused(7, 0, "workspace", [](Session&, Setup& u) { u.workspace_bytes = 100; });
    refused(7, 0, "bias", [](Session&, Setup& u) { u.bias = 0; });
    refused(0, 700, "no device address", [](Session&, Setup& u) { u.b = 0x12300; });
    refused(0, 700, "too many", [](Session& s, Setup& u) { u.d = s.memory(16 * 8 * 2 - 2); });
    refused(0, 700, "matrix b", [](Session&, Setup& u) { u.ld = 24; });
    refused(0, 700, "uninitialised", [](Session& s, Setup& u) { u.a = s.memory(16 * 16 * 2); });
    refused(0, 700, "bias of 16", [](Session& s, Setup& u) { u.bias = s.upload(std::vector<uint16_t>(15)); });
    refused(0, 700, "workspace", [](Session& s, Setup& u) { u.workspace = s.memory(1 << 16); });
    option("SGPT_STANDIN_CC", "75");
    refused(15, 0, "compute capability 75", [](Session&, Setup&) {});
    option("SGPT_STANDIN_CC", "");
}

/// A sum of 1024 products in bf16 with one of the algorithms offered. Returns the number of those.
int with_algorithm(uint32_t mask, int k, int index, std::vector<char>* out) {
    Session s;
    Lt lt;
    Host a(14, k, 16, 0, 1);
    Host b(14, k, 8, 0, 2);
    Host d(14, 16, 8, 0, 3);
    lt.describe(68, true, false, 1, 0, 14);
    void* la = lt.layout(a);
    void* lb = lt.layout(b);
    void* ld = lt.layout(d);
    void* preference = nullptr;
    SAME(0, cublasLtMatmulPreferenceCreate(&preference));
    SAME(0, cublasLtMatmulPreferenceSetAttribute(preference, 3, &mask, 4));
    char results[8 * 96];
    int found = 0;
    SAME(0, cublasLtMatmulAlgoGetHeuristic(lt.handle, lt.description, la, lb, ld, ld, preference, 8, results, &found));
    SAME(0, cublasLtMatmulPreferenceDestroy(preference));
    float alpha = 1.0f;
    float beta = 0.0f;
    auto pointer = [](uint64_t p) { return reinterpret_cast<void*>(p); };
    uint64_t address = s.memory(d.span());
    SAME(0, cublasLtMatmul(lt.handle, lt.description, &alpha, pointer(a.upload(s)), la, pointer(b.upload(s)), lb, &beta,
                           pointer(address), ld, pointer(address), ld, results + 96 * index, nullptr, 0, s.stream));
    *out = s.download<char>(address, d.span());
    return found;
}

/// The mask of reduction schemes leaves out those that round partial sums, and those that are not repeatable.
void reductions() {
    std::vector<char> in_place, again, rounded, plain, divided, short_sum;
    SAME(4, with_algorithm(7, 1024, 0, &in_place));
    SAME(4, with_algorithm(7, 1024, 0, &again));
    SAME(4, with_algorithm(7, 1024, 1, &rounded));
    SAME(2, with_algorithm(2, 1024, 0, &plain));
    SAME(2, with_algorithm(2, 1024, 1, &divided));
    SAME(1, with_algorithm(0, 1024, 0, &short_sum));
    SAME(true, short_sum == plain);
    SAME(1, with_algorithm(7, 16, 0, &short_sum));
    SAME(false, in_place == again);
    SAME(false, rounded == plain);
    int far = 0;
    int drifted = 0;
    for (size_t i = 0; i < 16 * 8; i++) {
        double value = static_cast<double>(load(14, plain, i));
        double limit = std::fabs(value) / 128;
        far += std::fabs(static_cast<double>(load(14, divided, i)) - value) > limit ? 1 : 0;
        drifted += std::fabs(static_cast<double>(load(14, rounded, i)) - value) > limit ? 1 : 0;
    }
    SAME(0, far);
    SAME(true, drifted > 0);
    void* preference = nullptr;
    uint32_t unknown = 8;
    SAME(0, cublasLtMatmulPreferenceCreate(&preference));
    SAME(7, cublasLtMatmulPreferenceSetAttribute(preference, 3, &unknown, 4));
    REPORTED("attribute 3");
    SAME(15, cublasLtMatmulPreferenceSetAttribute(preference, 2, &unknown, 4));
    REPORTED("attribute 2");
    SAME(0, cublasLtMatmulPreferenceDestroy(preference));
}

/// What products in 8 bits may be: `change` breaks one thing.
struct Eight {
    int m = 32, n = 5, k = 64;
    bool ta = true, tb = false;
    int a = 28, b = 28, out = 14, bias = 14;
    int epilogue = 1, compute = 68, extra = 0;
};

int attempt_in_eight_bits(const std::function<void(Eight&)>& change) {
    Session s;
    Lt lt;
    Eight e;
    change(e);
    lt.describe(e.compute, e.ta, e.tb, e.epilogue, 0, e.bias);
    void* a = lt.layout(Host(e.a, e.ta ? e.k : e.m, e.ta ? e.m : e.k, e.extra, 1));
    void* b = lt.layout(Host(e.b, e.tb ? e.n : e.k, e.tb ? e.k : e.n, e.extra, 1));
    void* d = lt.layout(Host(e.out, e.m, e.n, 0, 1));
    void* preference = nullptr;
    SAME(0, cublasLtMatmulPreferenceCreate(&preference));
    char result[96];
    int found = 0;
    int status = cublasLtMatmulAlgoGetHeuristic(lt.handle, lt.description, a, b, d, d, preference, 1, result, &found);
    SAME(0, cublasLtMatmulPreferenceDestroy(preference));
    return status;
}

void refused_in_eight_bits(const char* words, const std::function<void(Eight&)>& change) {
    SAME(15, attempt_in_eight_bits(change));
    REPORTED(words);
}

void refusals_in_eight_bits() {
    SAME(0, attempt_in_eight_bits([](Eight&) {}));
    refused_in_eight_bits("a transposed", [](Eight& e) { e.ta = false; });
    refused_in_eight_bits("b not transposed", [](Eight& e) {
        e.tb = true;
        e.n = 16;
    });
    refused_in_eight_bits("k 72", [](Eight& e) { e.k = 72; });
    refused_in_eight_bits("m 36", [](Eight& e) { e.m = 36; });
    refused_in_eight_bits("ld 65", [](Eight& e) { e.extra = 1; });
    refused_in_eight_bits("d 28", [](Eight& e) { e.out = 28; });
    refused_in_eight_bits("b 14", [](Eight& e) { e.b = 14; });
    refused_in_eight_bits("compute type 77", [](Eight& e) { e.compute = 77; });
    refused_in_eight_bits("bias 0", [](Eight& e) {
        e.out = 0;
        e.bias = 0;
        e.epilogue = 4;
    });
    refused_in_eight_bits("epilogue 32", [](Eight& e) { e.epilogue = 32; });
    option("SGPT_STANDIN_CC", "86");
    refused_in_eight_bits("compute capability 86", [](Eight&) {});
    option("SGPT_STANDIN_CC", "89");
    SAME(0, attempt_in_eight_bits([](Eight&) {}));
    option("SGPT_STANDIN_CC", "");
}

}  // namespace

void test_cublaslt() {
    const Case cases[] = {
        {1, 1, 1, true, false, 0, 0, 1, 0.0f, 0, 68},      {17, 13, 300, true, false, 0, 0, 4, 1.0f, 0, 68},
        {64, 48, 64, false, false, 0, 0, 1, 0.5f, 3, 68},  {33, 7, 65, true, true, 0, 0, 36, 0.0f, 1, 68},
        {33, 7, 65, false, true, 0, 0, 6, 0.0f, 0, 77},    {48, 31, 128, true, false, 14, 14, 4, 0.0f, 0, 68},
        {48, 31, 513, true, false, 14, 0, 4, 1.0f, 8, 68}, {48, 31, 128, true, false, 2, 2, 36, 0.0f, 2, 68},
        {5, 100, 40, true, false, 2, 0, 1, 1.0f, 0, 68},   {100, 5, 40, false, false, 14, 14, 2, 1.0f, 0, 68},
        {16, 6, 256, true, false, 0, 0, 32, 0.0f, 0, 77},  {48, 31, 528, true, false, 28, 0, 1, 0.0f, 0, 68},
        {32, 5, 64, true, false, 28, 14, 4, 1.0f, 16, 68}, {16, 1, 16, true, false, 28, 2, 4, 0.0f, 0, 68},
        {64, 9, 48, true, false, 28, 0, 4, 1.0f, 16, 68},
    };
    for (const Case& c : cases) {
        run(c);
    }
    refusals();
    reductions();
    refusals_in_eight_bits();
}
