// SPDX-License-Identifier: Apache-2.0
// The policy grammar once more, read off RFC 8461 §3.2 in the plainest way: a list of lines, a set of
// sentences. Shares nothing with the code it judges.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace mailtight::sts::oracle {

inline bool one_of(char c, const char* set) {
    return c != '\0' && std::string(set).find(c) != std::string::npos;
}
inline const char* const alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

inline bool domain(const std::string& text) {
    std::vector<std::string> labels(1);
    for (char c : text)
        if (c == '.')
            labels.emplace_back();
        else
            labels.back() += c;
    for (const auto& label : labels) {
        if (label.empty() || label.front() == '-' || label.back() == '-')
            return false;
        for (char c : label)
            if (!one_of(c, alnum) && c != '-')
                return false;
    }
    return true;
}

// VCHAR of 3.G2, by the table of RFC 3629 §4.
inline bool printable_utf8(const std::string& text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
    };
    const auto tail = [&](std::size_t i) { return byte(i) >= 0x80 && byte(i) <= 0xbf; };
    for (std::size_t i = 0; i < text.size();) {
        const unsigned b = byte(i);
        const unsigned n = byte(i + 1);
        if (b >= 0x20 && b <= 0x7e)
            i += 1;
        else if (b >= 0xc2 && b <= 0xdf && tail(i + 1))
            i += 2;
        else if (((b == 0xe0 && n >= 0xa0 && n <= 0xbf) || (b == 0xed && n >= 0x80 && n <= 0x9f) ||
                  (b >= 0xe1 && b <= 0xef && b != 0xed && tail(i + 1))) &&
                 tail(i + 2))
            i += 3;
        else if (((b == 0xf0 && n >= 0x90 && n <= 0xbf) || (b == 0xf4 && n >= 0x80 && n <= 0x8f) ||
                  (b >= 0xf1 && b <= 0xf3 && tail(i + 1))) &&
                 tail(i + 2) && tail(i + 3))
            i += 4;
        else
            return false;
    }
    return true;
}

struct result {
    bool valid = false;
    std::string mode;
    std::string max_age;
    std::vector<std::string> mx;
};

inline result strict(const std::string& body) {
    const result no;
    std::vector<std::string> lines(1);
    for (std::size_t i = 0; i < body.size(); ++i) {
        const bool crlf = body[i] == '\r' && i + 1 < body.size() && body[i + 1] == '\n';
        if (crlf)
            ++i;
        if (crlf || body[i] == '\n')
            lines.emplace_back();
        else
            lines.back() += body[i];
    }
    if (lines.size() > 1 && lines.back().empty())
        lines.pop_back(); // the optional terminator at the end
    result out;
    std::map<std::string, std::string> once;
    for (std::string line : lines) {
        while (!line.empty() && one_of(line.back(), " \t"))
            line.pop_back();
        const auto colon = line.find(':');
        if (colon == std::string::npos || colon == 0 || colon > 32)
            return no;
        const std::string key = line.substr(0, colon);
        for (std::size_t i = 0; i < key.size(); ++i)
            if (!one_of(key[i], alnum) && !(i > 0 && one_of(key[i], "_-.")))
                return no;
        std::string value = line.substr(colon + 1);
        while (!value.empty() && one_of(value.front(), " \t"))
            value.erase(0, 1);
        const bool text = !value.empty() && printable_utf8(value);
        if (key == "mx") {
            if (!domain(value.starts_with("*.") ? value.substr(2) : value))
                return no;
            out.mx.push_back(value);
        } else if (!text) {
            return no;
        } else {
            once.emplace(key, value); // the first one stays
        }
    }
    out.mode = once["mode"];
    out.max_age = once["max_age"];
    const bool digits = out.max_age.find_first_not_of("0123456789") == std::string::npos;
    out.valid =
        body.size() <= 65536 && once["version"] == "STSv1" &&
        (out.mode == "none" || ((out.mode == "enforce" || out.mode == "testing") && !out.mx.empty())) &&
        digits && !out.max_age.empty() && out.max_age.size() <= 10;
    return out;
}

/// A7: blank lines after the last field are taken away first.
inline result lenient(std::string body) {
    if (body.size() > 65536)
        return {};
    for (;;) {
        std::size_t begin = body.rfind('\n');
        if (begin == std::string::npos || body.find_first_not_of(" \t", begin + 1) != std::string::npos)
            return strict(body);
        body.resize(begin > 0 && body[begin - 1] == '\r' ? begin - 1 : begin);
    }
}

} // namespace mailtight::sts::oracle
