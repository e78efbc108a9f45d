// Reports and options.
#pragma once

#include <cstdint>
#include <string>

namespace standin {

/// Writes one report to stderr and to the file named by SGPT_STANDIN_REPORT.
void report(const std::string& text);
/// The last report's text (for tests), and the number of reports so far.
std::string last_report();
uint64_t report_count();

/// Source position of an instruction, "" if it cannot be found: "sgpt_norm at norm.cu:41".
std::string source_position(const void* instruction);

/// The options of README.md, as last read.
struct Options {
    uint64_t order = 0;
    uint64_t memory = uint64_t{16} << 30;
    int capability = 90;
    int devices = 1;
    int driver = 13000;
    std::string report;
    std::string fail;
    bool quiet = false;
    int slow_products = 0;  // milliseconds
    bool recover = false;
    bool go_on = false;
};

/// Reads environment and options file again.
void read_options();
Options options();

/// The status with which this call of `function` must fail, or 0 if it must succeed.
int injected_failure(const char* function);

}  // namespace standin
