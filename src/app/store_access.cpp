// SPDX-License-Identifier: Apache-2.0
#include "app/store_access.h"

#include "app/typed.h"
#include "base/text.h"
#include "mail/domain_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mailtight::app {

namespace {

namespace fs = std::filesystem;

constexpr const char* system_place = "/var/lib/mailtight/mailtight.db";

/// Why a file or folder of the store cannot be written, and what helps.
std::string cannot_write(const std::string& what, int fault) {
    const auto* helps = fault == EACCES || fault == EPERM ? "; run this as root or as the daemon's user"
                        : fault == EROFS                  ? "; set store.where to a place that can be written"
                                                          : "";
    return fmt::format("{}: {}{}", base::printable(what), std::strerror(fault), helps);
}

} // namespace

std::string user_store_place() {
    if (const char* state = std::getenv("XDG_STATE_HOME"); state && *state == '/')
        return (fs::path(state) / "mailtight/mailtight.db").string();
    const char* home = std::getenv("HOME");
    return (fs::path(home && *home ? home : "/var/lib") / ".local/state/mailtight/mailtight.db").string();
}

std::expected<void, std::string> prepare_place(const std::string& place) {
    if (store::is_postgres(place))
        return {};
    std::error_code error;
    const auto folder = fs::path(place).parent_path();
    if (!folder.empty() && !fs::exists(folder, error) && !fs::create_directories(folder, error))
        return std::unexpected(
            fmt::format("the folder of the store does not exist and cannot be made: {}",
                        cannot_write(folder.string(), error.value() == 0 ? ENOENT : error.value())));
    const std::string written = fs::exists(place, error) ? place : folder.empty() ? "." : folder.string();
    if (::access(written.c_str(), W_OK) != 0)
        return std::unexpected(cannot_write(written, errno));
    return {};
}

void leave_to_owner(const std::string& place) {
    struct stat directory{};
    if (store::is_postgres(place) || ::geteuid() != 0 ||
        ::stat(fs::path(place).parent_path().c_str(), &directory) != 0)
        return;
    for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
        struct stat is{};
        const std::string each = place + suffix;
        if (::lstat(each.c_str(), &is) == 0 && S_ISREG(is.st_mode) && is.st_uid == 0 &&
            directory.st_uid != 0 && ::lchown(each.c_str(), directory.st_uid, directory.st_gid) != 0)
            return; // the next open says what is wrong
    }
}

std::string store_place(const settings& from) {
    if (!from.store_where.empty())
        return from.store_where;
    if (const char* directory = std::getenv("STATE_DIRECTORY"); directory && *directory == '/')
        return (fs::path(std::string(base::split(directory, ':').front())) / "mailtight.db").string();
    if (::geteuid() == 0 || ::access(system_place, R_OK) == 0)
        return system_place;
    return user_store_place();
}

std::expected<std::vector<std::string>, std::string> our_domains(const settings& from) {
    return read_names("reports.domains", from.domains, from.domains_file,
                      [](std::string_view text) -> std::expected<std::string, std::string> {
                          const auto ascii = mail::to_ascii(base::trim(text));
                          auto name = ascii ? mail::canonical_name(*ascii) : std::nullopt;
                          if (!name)
                              return std::unexpected(std::string("this is no domain"));
                          return std::move(*name);
                      });
}

std::string store_name(std::string_view place) {
    std::string out(place);
    if (!store::is_postgres(place))
        return out;
    if (const auto at = out.find('@'), scheme = out.find("://");
        at != std::string::npos && scheme != std::string::npos) {
        const auto colon = out.find(':', scheme + 3);
        if (colon < at)
            out.replace(colon + 1, at - colon - 1, "***");
    }
    for (auto key = out.find("password="); key != std::string::npos; key = out.find("password=", key + 12)) {
        const auto begin = key + 9;
        const auto end = std::min(out.find_first_of(" &", begin), out.size());
        out.replace(begin, end - begin, "***");
    }
    return out;
}

std::string words(const store::store_error& error) {
    return fmt::format("the store: {}", base::printable(error.message));
}

std::expected<std::string, std::string> place_to_ask(const settings& from, std::string_view maker) {
    auto place = store_place(from);
    if (store::is_postgres(place))
        return place;
    std::error_code error;
    if (!fs::exists(place, error) && !error)
        return std::unexpected(
            fmt::format("there is no store at {} yet: {} makes it", base::printable(place), maker));
    if (::access(place.c_str(), R_OK) != 0)
        return std::unexpected(
            fmt::format("{}: {}; ask as root, as the daemon's user or as a member of its group",
                        base::printable(place), std::strerror(errno)));
    return place;
}

bool no_store_yet(const settings& from) {
    const auto place = store_place(from);
    std::error_code error;
    return !store::is_postgres(place) && !fs::exists(place, error) && !error;
}

std::expected<std::unique_ptr<store::store>, std::string> open_to_ask(const settings& from) {
    auto place = place_to_ask(from, "mailtight report import or mailtight serve");
    if (!place)
        return std::unexpected(std::move(place.error()));
    auto opened = store::open({.where = *place, .read_only = true, .create = false});
    if (!opened)
        return std::unexpected(words(opened.error()));
    return std::move(*opened);
}

std::unique_ptr<store::store> open_if_there(const settings& from) {
    const std::string place = store_place(from);
    if (!store::is_postgres(place) && ::access(place.c_str(), R_OK) != 0)
        return nullptr;
    auto opened = store::open({.where = place,
                               .read_only = true,
                               .create = false,
                               .wait_for_lock = std::chrono::milliseconds(1000)});
    return opened ? std::move(*opened) : nullptr;
}

write_lock::write_lock(write_lock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

write_lock& write_lock::operator=(write_lock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

write_lock::~write_lock() {
    if (fd_ >= 0)
        ::close(fd_);
}

std::expected<write_lock, std::string> write_lock::take(const settings& from) {
    const std::string place = store_place(from);
    if (store::is_postgres(place))
        return write_lock(-1);
    if (auto prepared = prepare_place(place); !prepared)
        return std::unexpected(prepared.error());
    const std::string file = place + ".lock";
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return std::unexpected(cannot_write(file, errno));
    write_lock lock(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0)
        return std::unexpected(
            fmt::format("another mailtight writes to {}; where it is the daemon, its control socket "
                        "(serve.control-socket) must be reachable",
                        base::printable(place)));
    return lock;
}

std::expected<writable_store, std::string> open_to_write(const settings& from) {
    auto begun = begin_to_write(from);
    if (begun && begun->away)
        return std::unexpected(words(*begun->away));
    return begun;
}

std::expected<writable_store, std::string> begin_to_write(const settings& from) {
    auto lock = write_lock::take(from);
    if (!lock)
        return std::unexpected(lock.error());
    const std::string place = store_place(from);
    auto opened = store::open({.where = place});
    if (!opened && opened.error().again())
        return writable_store{.lock = std::move(*lock), .opened = nullptr, .away = opened.error()};
    if (!opened)
        return std::unexpected(words(opened.error()));
    leave_to_owner(place);
    return writable_store{.lock = std::move(*lock), .opened = std::move(*opened), .away = {}};
}

} // namespace mailtight::app
