// SPDX-License-Identifier: Apache-2.0
#include "io/rotated_files.h"

#include "base/text.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include <sys/stat.h>

namespace mailtight::io {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t counter_digits = 4; ///< longer numbers are dates

/// What a rotation appends, as it is compared: a larger one is younger. Dates are digits and dashes, written
/// so that they sort; counters grow with age.
struct suffix {
    bool is_date = false;
    char separator = '.';
    long counter = 0;
    std::string_view text;

    bool same_kind(const suffix& other) const {
        return is_date == other.is_date && separator == other.separator;
    }
    bool younger_than(const suffix& other) const {
        return is_date ? text > other.text : counter < other.counter;
    }
};

/// False where the name is not that of a rotated file.
bool read_suffix(std::string_view name, std::string_view base, suffix& into) {
    if (name.size() < base.size() + 2 || !name.starts_with(base))
        return false;
    into.separator = name[base.size()];
    into.text = name.substr(base.size() + 1);
    if ((into.separator != '.' && into.separator != '-') ||
        !std::ranges::all_of(into.text, [](char c) { return base::is_digit(c) || c == '-'; }))
        return false;
    into.is_date = into.text.size() > counter_digits || into.text.find('-') != std::string_view::npos;
    into.counter = 0;
    if (!into.is_date)
        for (const char digit : into.text)
            into.counter = into.counter * 10 + (digit - '0');
    return true;
}

/// Calls `look(name, path)` for each file of the folder whose name begins like that of `path`.
template<class Look>
void look_beside(const std::string& path, Look look) {
    const fs::path whole(path);
    const auto base = whole.filename().string();
    std::error_code error;
    for (auto entry = fs::directory_iterator(whole.parent_path(), error);
         !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const auto name = entry->path().filename().string();
        if (name.starts_with(base))
            look(name, entry->path().string());
    }
}

bool has_inode(const std::string& path, std::uint64_t inode) {
    struct stat found{};
    return ::lstat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) && found.st_ino == inode;
}

} // namespace

std::string file_with_inode(const std::string& path, std::uint64_t inode) {
    std::string result;
    look_beside(path, [&](const std::string&, const std::string& one) {
        if (has_inode(one, inode))
            result = one;
    });
    return result;
}

std::string file_after(const std::string& path, const std::string& current) {
    const auto base = fs::path(path).filename().string();
    const auto own_name = fs::path(current).filename().string();
    suffix own;
    if (!read_suffix(own_name, base, own))
        return path;
    std::string best_name, best_path = path;
    look_beside(path, [&](const std::string& name, const std::string& one) {
        suffix its, best;
        if (!read_suffix(name, base, its) || !its.same_kind(own) || !its.younger_than(own))
            return;
        // The oldest of the younger ones.
        if (!best_name.empty() && read_suffix(best_name, base, best) && !best.younger_than(its))
            return;
        best_name = name;
        best_path = one;
    });
    return best_path;
}

} // namespace mailtight::io
