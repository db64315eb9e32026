// SPDX-License-Identifier: Apache-2.0
// Entry point: read_inputs(). What the person named is opened whatever it is (a link, a pipe); what is met
// inside a folder is read only where it is a regular file of that folder. Names are sorted, so that two runs
// tell the same story.
#include "intake/files.h"
#include "intake/maildir.h"
#include "intake/mbox_file.h"
#include "intake/ways_in.h"
#include "mail/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

namespace mailtight::intake {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t depth_max = 16;
constexpr std::size_t head_bytes = 64 * 1024; ///< enough to know an mbox by
constexpr std::size_t mail_bytes = 25 * 1024 * 1024;

class walk {
public:
    walk(const std::string& root, const std::function<bool(input)>& each)
        : each_(each) {
        std::error_code ignored;
        root_ = fs::canonical(root, ignored);
    }

    /// False: the caller has had enough.
    bool named(const std::string& path) {
        std::error_code error;
        if (fs::is_directory(path, error))
            return folder(path, 0);
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
        file_handle file(fd);
        return file ? content(path, std::move(file)) : failed(path, last_system_error());
    }
    bool standard_input() {
        const int copy = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
        file_handle file(copy);
        return file ? content("-", std::move(file)) : failed("-", last_system_error());
    }

private:
    bool failed(const std::string& name, std::string why) {
        input out;
        out.name = name;
        out.error = std::move(why);
        return each_(std::move(out));
    }

    bool folder(const std::string& path, std::size_t depth) {
        if (depth > depth_max)
            return failed(path, "nested too deeply");
        if (is_maildir(path))
            return maildir(path, depth);
        return entries(path, [&](const std::string& name) {
            return name.starts_with('.') || entry(path + "/" + name, depth);
        });
    }
    bool maildir(const std::string& path, std::size_t depth) {
        for (const char* sub : {"/new", "/cur"}) {
            const bool on = entries(path + sub, [&](const std::string& name) {
                return name.starts_with('.') || entry(path + sub + "/" + name, depth_max);
            });
            if (!on)
                return false;
        }
        return entries(path, [&](const std::string& name) { // maildir++: subfolders are `.Name`
            const auto below = path + "/" + name;
            return !name.starts_with('.') || !is_maildir(below) || entry(below, depth);
        });
    }
    template<class Each>
    bool entries(const std::string& path, Each each) {
        std::error_code error;
        std::vector<std::string> names;
        fs::directory_iterator at(path, error);
        for (; !error && at != fs::directory_iterator(); at.increment(error))
            names.push_back(at->path().filename().string());
        if (error)
            return failed(path, error.message());
        std::ranges::sort(names);
        return std::ranges::all_of(names, each);
    }
    bool entry(const std::string& path, std::size_t depth) {
        std::error_code error;
        const auto status = fs::symlink_status(path, error);
        if (fs::is_directory(status))
            return folder(path, depth + 1);
        if (fs::is_symlink(
                status)) // to a file of the same folder only; never to a folder, which could be a ring
            return !leads_to_own_file(path) || open_and_read(path, follow_links::yes);
        return !fs::is_regular_file(status) || open_and_read(path, follow_links::no);
    }
    bool leads_to_own_file(const std::string& path) const {
        std::error_code error;
        const auto target = fs::canonical(path, error);
        if (error || root_.empty() || !fs::is_regular_file(target, error))
            return false;
        return std::mismatch(root_.begin(), root_.end(), target.begin(), target.end()).first == root_.end();
    }
    bool open_and_read(const std::string& path, follow_links links) {
        auto file = open_regular(path, links);
        return file ? content(path, std::move(file->handle)) : failed(path, file.error());
    }

    bool content(const std::string& name, file_handle file) {
        struct stat facts{};
        const bool known = ::fstat(file.get(), &facts) == 0;
        const base::utc_seconds modified{std::chrono::seconds(known ? facts.st_mtim.tv_sec : 0)};
        std::string bytes;
        while (bytes.size() < head_bytes) {
            const auto got = read_more(file, bytes, head_bytes - bytes.size());
            if (!got)
                return failed(name, got.error());
            if (*got == 0)
                break;
        }
        if (mail::looks_like_mbox(bytes) && ::lseek(file.get(), 0, SEEK_SET) == 0)
            return mbox(name, std::move(file), modified);
        if (known && S_ISREG(facts.st_mode) && static_cast<std::uint64_t>(facts.st_size) > input_bytes)
            return failed(name, fmt::format("larger than {} MiB", input_bytes / (1024 * 1024)));
        if (auto rest = read_rest(file, bytes, input_bytes); !rest)
            return failed(name, rest.error());
        if (mail::looks_like_mbox(bytes)) // through a pipe: it cannot be read a second time
            return mbox_in_memory(name, bytes, modified);
        return each_({name, std::move(bytes), "", false, modified});
    }
    bool mbox(const std::string& name, file_handle file, base::utc_seconds modified) {
        mbox_reader reader(std::move(file), 0, mail_bytes);
        std::size_t number = 0;
        for (mbox_message message; reader.next(message);) {
            const auto numbered = fmt::format("{}#{}", name, ++number);
            if (!each_({numbered, std::move(message.bytes), std::move(message.error), true, modified}))
                return false;
        }
        return reader.error().empty() || failed(name, reader.error());
    }
    bool mbox_in_memory(const std::string& name, std::string_view bytes, base::utc_seconds modified) {
        std::size_t number = 0;
        return std::ranges::all_of(mail::split_mbox(bytes), [&](std::string_view message) {
            return each_(
                {fmt::format("{}#{}", name, ++number), mail::unquote_mbox(message), "", true, modified});
        });
    }

    const std::function<bool(input)>& each_;
    fs::path root_;
};

} // namespace

void read_inputs(const std::string& path, const std::function<bool(input)>& each) {
    walk over(path, each);
    if (path == "-")
        over.standard_input();
    else
        over.named(path);
}

} // namespace mailtight::intake
