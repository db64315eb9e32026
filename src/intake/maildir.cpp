// SPDX-License-Identifier: Apache-2.0
#include "intake/maildir.h"

#include "base/text.h"
#include "intake/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

namespace mailtight::intake {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view info = ":2,";

std::string_view flags_of(std::string_view name) {
    const auto at = name.rfind(info);
    return at == name.npos ? std::string_view{} : name.substr(at + info.size());
}

// The name in cur/ with the flag S, flags in order as the maildir rules have it.
std::string seen_name(const maildir_mail& mail) {
    std::string flags(flags_of(mail.name));
    if (flags.find('S') == flags.npos)
        flags += 'S';
    std::ranges::sort(flags);
    return mail.unique() + std::string(info) + flags;
}

std::expected<void, std::string> make_folder(const std::string& path) {
    for (const char* sub : {"", "/tmp", "/new", "/cur"})
        if (::mkdir((path + sub).c_str(), 0700) != 0 && errno != EEXIST)
            return std::unexpected(fmt::format("{}{}: {}", path, sub, last_system_error()));
    return {};
}

} // namespace

bool is_maildir(const std::string& path) {
    std::error_code ignored;
    return fs::is_directory(path + "/new", ignored) && fs::is_directory(path + "/cur", ignored);
}

std::string maildir_mail::unique() const {
    const std::string_view whole = name;
    return std::string(whole.substr(0, whole.rfind(info)));
}

std::expected<std::vector<maildir_mail>, std::string>
unread_mails(const std::string& maildir, const std::unordered_set<std::string>& passed_over,
             std::size_t limit) {
    std::vector<maildir_mail> out;
    for (const char* sub : {"new", "cur"}) {
        std::error_code error;
        fs::directory_iterator entry(maildir + "/" + sub, error);
        for (; !error && entry != fs::directory_iterator() && out.size() < limit; entry.increment(error)) {
            maildir_mail mail{sub, entry->path().filename().string()};
            const auto flags = flags_of(mail.name);
            const bool done = mail.sub == "cur" && flags.find_first_of("ST") != flags.npos;
            if (!mail.name.starts_with('.') && !done && !passed_over.contains(mail.unique()))
                out.push_back(std::move(mail));
        }
        if (error)
            return std::unexpected(fmt::format("{}/{}: {}", maildir, sub, error.message()));
    }
    std::ranges::sort(out, {}, &maildir_mail::name); // names begin with the time of delivery
    return out;
}

std::expected<maildir_end, std::string> parse_maildir_end(std::string_view text) {
    if (text == "seen")
        return maildir_end{after_commit::mark_seen, ""};
    if (text == "delete")
        return maildir_end{after_commit::remove, ""};
    if (text.size() > 1 && text.starts_with('.') && text.find('/') == text.npos &&
        text.find("..") == text.npos && text.find('\0') == text.npos)
        return maildir_end{after_commit::move, std::string(text)};
    return std::unexpected(
        fmt::format("\"{}\" is neither \"seen\" nor \"delete\" nor a folder such as \".Reports\"",
                    base::printable(text, 100)));
}

std::expected<void, std::string> settle_mail(const std::string& maildir, const maildir_mail& mail,
                                             const maildir_end& end) {
    const auto from = maildir + "/" + mail.sub + "/" + mail.name;
    int failed = 0;
    if (end.what == after_commit::remove) {
        failed = ::unlink(from.c_str());
    } else {
        auto folder = maildir;
        if (end.what == after_commit::move) {
            folder += "/" + end.folder;
            if (auto made = make_folder(folder); !made)
                return made;
        }
        failed = ::rename(from.c_str(), (folder + "/cur/" + seen_name(mail)).c_str());
    }
    if (failed != 0 && errno != ENOENT)
        return std::unexpected(fmt::format("{}: {}", from, last_system_error()));
    return {};
}

} // namespace mailtight::intake
