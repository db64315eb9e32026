// SPDX-License-Identifier: Apache-2.0
// A certificate authority of the test's own (tools/pebble), ended with this object.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

namespace mailtight::tests {

class private_pebble {
public:
    /// `options` as tools/pebble takes them.
    explicit private_pebble(const std::string& options = "") {
        static int count = 0;
        const auto note =
            (std::filesystem::temp_directory_path() /
             ("mailtight-pebble-note-" + std::to_string(::getpid()) + "-" + std::to_string(++count)))
                .string();
        keeper_ = ::popen((MAILTIGHT_SOURCE_DIR "/tools/pebble during " + note + " " + options).c_str(), "w");
        if (!keeper_)
            throw std::runtime_error("tools/pebble cannot be run");
        for (const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(120);
             !std::filesystem::exists(note);) {
            if (std::chrono::steady_clock::now() > until)
                throw std::runtime_error("pebble does not start");
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        std::ifstream in(note);
        for (std::string name, value; in >> name >> value;)
            facts_[name] = value;
    }
    ~private_pebble() { ::pclose(keeper_); }
    private_pebble(const private_pebble&) = delete;
    /// "directory", "ca", "roots", "management", "dns", "eab_id", "eab_key", "http_port", "tls_port".
    const std::string& operator[](const std::string& name) const { return facts_.at(name); }

private:
    FILE* keeper_ = nullptr;
    std::map<std::string, std::string> facts_;
};

} // namespace mailtight::tests
