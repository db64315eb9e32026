// SPDX-License-Identifier: Apache-2.0
#include "app/typed.h"

#include "app/terminal.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace mailtight::app {

namespace {
constexpr std::size_t names_bytes = 64 * 1024 * 1024;
} // namespace

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
    std::string bytes;
    std::array<char, 65'536> part;
    while (bytes.size() <= limit) {
        const auto want = std::min(part.size(), limit + 1 - bytes.size());
        const std::size_t got = std::fread(part.data(), 1, want, from);
        bytes.append(part.data(), got);
        if (got < want)
            break;
    }
    if (std::ferror(from))
        return std::unexpected(fmt::format("{}: {}", base::printable(file), std::strerror(errno)));
    return bytes;
}

std::expected<std::vector<std::string>, std::string> read_names(const std::string& key,
                                                                const std::vector<std::string>& listed,
                                                                const std::string& file,
                                                                const name_reader& understand) {
    std::vector<std::string> all;
    auto take = [&](std::string_view text, const std::string& where) -> std::expected<void, std::string> {
        auto name = understand(text);
        if (!name)
            return std::unexpected(
                fmt::format("{}: '{}': {}", where, base::printable(text, 253), name.error()));
        all.push_back(std::move(*name));
        return {};
    };
    for (const auto& text : listed)
        if (auto taken = take(text, key); !taken)
            return std::unexpected(taken.error());
    if (file.empty())
        return all;
    const auto bytes = read_bytes(file, names_bytes);
    if (!bytes)
        return std::unexpected(fmt::format("{}-file: {}", key, bytes.error()));
    if (bytes->size() > names_bytes) // half a list would be taken for the whole
        return std::unexpected(
            fmt::format("{}-file: {} is longer than {} MB", key, base::printable(file), names_bytes >> 20));
    std::size_t number = 0;
    for (const auto line : base::split(*bytes, '\n')) {
        ++number;
        const auto text = base::trim(line.substr(0, line.find('#')));
        if (text.empty())
            continue;
        if (auto taken = take(text, fmt::format("{}, line {}", file, number)); !taken)
            return std::unexpected(taken.error());
    }
    return all;
}

} // namespace mailtight::app
