#include "report.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>

namespace standin {

namespace {

std::mutex mutex;
Options current;
std::string last;
uint64_t count = 0;

struct Failure {
    std::string function;
    int code;
    long call;
};
std::string failures_text;
std::map<std::string, long> calls;

std::string trimmed(const std::string& text) {
    size_t first = text.find_first_not_of(" \t\r\n");
    size_t last_kept = text.find_last_not_of(" \t\r\n");
    return first == std::string::npos ? "" : text.substr(first, last_kept - first + 1);
}

void set_option(Options* o, const std::string& key, const std::string& value) {
    if (key == "SGPT_STANDIN_ORDER") {
        o->order = strtoull(value.c_str(), nullptr, 0);
    } else if (key == "SGPT_STANDIN_MEMORY") {
        o->memory = strtoull(value.c_str(), nullptr, 0);
    } else if (key == "SGPT_STANDIN_CC") {
        o->capability = atoi(value.c_str());
    } else if (key == "SGPT_STANDIN_DEVICES") {
        o->devices = atoi(value.c_str());
    } else if (key == "SGPT_STANDIN_DRIVER") {
        o->driver = atoi(value.c_str());
    } else if (key == "SGPT_STANDIN_REPORT") {
        o->report = value;
    } else if (key == "SGPT_STANDIN_FAIL") {
        o->fail = value;
    } else if (key == "SGPT_STANDIN_SLOW_PRODUCTS") {
        o->slow_products = atoi(value.c_str());
    } else if (key == "SGPT_STANDIN_QUIET") {
        o->quiet = value == "1";
    } else if (key == "SGPT_STANDIN_RECOVER") {
        o->recover = value == "1";
    } else if (key == "SGPT_STANDIN_GO_ON") {
        o->go_on = value == "1";
    } else {
        fprintf(stderr, "sgpt-standin: unknown option %s\n", key.c_str());
    }
}

}  // namespace

void read_options() {
    static const char* const keys[] = {"SGPT_STANDIN_ORDER",   "SGPT_STANDIN_MEMORY", "SGPT_STANDIN_CC",
                                       "SGPT_STANDIN_DEVICES", "SGPT_STANDIN_DRIVER", "SGPT_STANDIN_REPORT",
                                       "SGPT_STANDIN_FAIL",    "SGPT_STANDIN_QUIET",  "SGPT_STANDIN_SLOW_PRODUCTS",
                                       "SGPT_STANDIN_RECOVER", "SGPT_STANDIN_GO_ON"};
    Options fresh;
    for (const char* key : keys) {
        const char* value = getenv(key);
        if (value != nullptr && *value != '\0') {
            set_option(&fresh, key, value);
        }
    }
    const char* path = getenv("SGPT_STANDIN_OPTIONS");
    if (path != nullptr) {
        std::ifstream file(path);
        std::string line;
        while (std::getline(file, line)) {
            size_t equals = line.find('=');
            line = trimmed(line);
            if (!line.empty() && line[0] != '#' && equals != std::string::npos) {
                equals = line.find('=');
                set_option(&fresh, trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)));
            }
        }
    }
    std::lock_guard<std::mutex> guard(mutex);
    current = fresh;
    if (fresh.fail != failures_text) {
        failures_text = fresh.fail;
        calls.clear();
    }
}

Options options() {
    std::lock_guard<std::mutex> guard(mutex);
    return current;
}

int injected_failure(const char* function) {
    std::lock_guard<std::mutex> guard(mutex);
    if (failures_text.empty()) {
        return 0;
    }
    long call = ++calls[function];
    std::istringstream list(failures_text);
    std::string item;
    while (std::getline(list, item, ',')) {
        size_t colon = item.find(':');
        size_t at = item.find('@');
        std::string name = trimmed(item.substr(0, colon));
        size_t version = name.rfind("_v2");
        name = name.substr(0, version);
        if (colon == std::string::npos || name != function) {
            continue;
        }
        long wanted = at == std::string::npos ? 1 : atol(item.c_str() + at + 1);
        if (call == wanted) {
            return atoi(item.c_str() + colon + 1);
        }
    }
    return 0;
}

void report(const std::string& text) {
    std::lock_guard<std::mutex> guard(mutex);
    last = text;
    count++;
    std::string line = "sgpt-standin: " + text + "\n";
    if (!current.quiet) {
        fputs(line.c_str(), stderr);
        fflush(stderr);
    }
    if (!current.report.empty()) {
        int file = open(current.report.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (file >= 0) {
            ssize_t written = write(file, line.data(), line.size());
            (void)written;
            close(file);
        }
    }
}

std::string last_report() {
    std::lock_guard<std::mutex> guard(mutex);
    return last;
}

uint64_t report_count() {
    std::lock_guard<std::mutex> guard(mutex);
    return count;
}

std::string source_position(const void* instruction) {
    Dl_info info;
    if (instruction == nullptr || dladdr(instruction, &info) == 0 || info.dli_fname == nullptr) {
        return "";
    }
    uintptr_t base = reinterpret_cast<uintptr_t>(info.dli_fbase);
    uintptr_t address = reinterpret_cast<uintptr_t>(instruction) - 1;
    if (strchr(info.dli_fname, '\'') != nullptr || getenv("SGPT_STANDIN_NO_LINES") != nullptr) {
        return "";
    }
    for (uintptr_t offset : {address - base, address}) {  // position-independent files first
        char command[4400];
        snprintf(command, sizeof command, "addr2line -s -i -e '%s' 0x%zx 2>/dev/null", info.dli_fname,
                 static_cast<size_t>(offset));
        FILE* pipe = popen(command, "re");
        if (pipe == nullptr) {
            return "";
        }
        std::string places;
        char line[512];
        while (fgets(line, sizeof line, pipe) != nullptr) {
            std::string place = trimmed(line);
            size_t note = place.find(" (");
            place = place.substr(0, note);
            if (!place.empty() && place[0] != '?') {
                places += (places.empty() ? "" : ", from ") + place;
            }
        }
        pclose(pipe);
        if (!places.empty()) {
            return places;
        }
    }
    return "";
}

}  // namespace standin
