// SPDX-License-Identifier: Apache-2.0
// The names and certificates that bench/policy_host.py measures with: one file for all, so that reading many
// small ones is no part of a start.
#pragma once

#include <cstddef>
#include <fstream>
#include <stdexcept>
#include <string>

namespace mailtight::bench {

inline std::string host_domain(std::size_t number) {
    return "d" + std::to_string(number) + ".bench";
}

struct bundled {
    std::string chain, key; ///< PEM
};

class bundle_reader {
public:
    explicit bundle_reader(const std::string& file)
        : from_(file, std::ios::binary) {
        if (!from_)
            throw std::runtime_error("cannot open " + file);
    }
    bool next(bundled& into) {
        std::size_t chain = 0, key = 0;
        if (!(from_ >> chain >> key) || from_.get() != '\n')
            return false;
        into.chain.resize(chain);
        into.key.resize(key);
        return static_cast<bool>(from_.read(into.chain.data(), static_cast<std::streamsize>(chain))
                                     .read(into.key.data(), static_cast<std::streamsize>(key)));
    }

private:
    std::ifstream from_;
};

} // namespace mailtight::bench
