// SPDX-License-Identifier: Apache-2.0
// Bytes from files that others write: never through a link that was not named, never a device or a pipe met
// by chance, never more than a limit. Blocking calls. The room's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include <sys/stat.h>

namespace mailtight::intake {

/// Closes what it holds.
class file_handle {
public:
    file_handle() = default;
    explicit file_handle(int fd)
        : fd_(fd) {}
    file_handle(file_handle&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)) {}
    file_handle& operator=(file_handle&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~file_handle();
    explicit operator bool() const { return fd_ >= 0; }
    int get() const { return fd_; }

private:
    int fd_ = -1;
};

/// Why the last call failed, for a person.
std::string last_system_error();

enum class follow_links { no, yes };
struct opened_file {
    file_handle handle;
    struct stat facts{};
};
/// A regular file for reading. Whatever is in the way of that is the error, for a person.
std::expected<opened_file, std::string> open_regular(const std::string& path, follow_links links);

/// Appends up to `limit` bytes more; 0 at the end. The error is for a person.
std::expected<std::size_t, std::string> read_more(const file_handle& from, std::string& into,
                                                  std::size_t limit);
/// Appends everything; more than `limit` bytes in all is an error.
std::expected<void, std::string> read_rest(const file_handle& from, std::string& into, std::size_t limit);

} // namespace mailtight::intake
