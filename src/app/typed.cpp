// SPDX-License-Identifier: Apache-2.0
#include "app/typed.h"

#include "app/terminal.h"
#include "base/text.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace mailtight::app {

std::optional<mail::typed_domain> take_domain(const std::string& typed) {
    auto understood = mail::understand_domain(typed);
    if (!understood) {
        complain(fmt::format("'{}': {}", base::printable(typed, 300), mail::explain(understood.error())));
        return {};
    }
    for (const auto& note : understood->notes)
        say(base::printable(note));
    return *understood;
}

std::optional<std::vector<tlsrpt::report_uri>> take_rua(const std::vector<std::string>& typed) {
    std::vector<tlsrpt::report_uri> all;
    for (const auto& text : typed) {
        auto uri = tlsrpt::understand_rua(text);
        if (!uri) {
            complain(fmt::format("--rua '{}': {}", base::printable(text, 300), base::printable(uri.error())));
            return {};
        }
        all.push_back(*uri);
    }
    return all;
}

std::optional<std::optional<sts::mode>> take_mode(const std::string& typed) {
    if (typed.empty())
        return std::optional<sts::mode>{};
    if (auto mode = sts::parse_mode(base::lower(typed)))
        return mode;
    complain(fmt::format("--mode takes testing, enforce or none, not '{}'", base::printable(typed)));
    return {};
}

std::expected<std::string, std::string> read_bytes(const std::string& file, std::size_t limit) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> opened(nullptr, &std::fclose);
    std::FILE* from = stdin;
    if (file != "-") {
        opened.reset(std::fopen(file.c_str(), "rb"));
        if (!opened)
            return std::unexpected(fmt::format("{}: {}", base::printable(file), std::strerror(errno)));
        from = opened.get();
    }
    std::string bytes(limit + 1, '\0');
    const std::size_t got = std::fread(bytes.data(), 1, bytes.size(), from);
    if (std::ferror(from))
        return std::unexpected(fmt::format("{}: {}", base::printable(file), std::strerror(errno)));
    bytes.resize(got);
    return bytes;
}

} // namespace mailtight::app
