// SPDX-License-Identifier: Apache-2.0
// Entries: read_keys() and make_keys(). A key file appears whole or not at all: written beside, then linked
// to its name, which fails where that is taken.
#include "deliver/keys.h"

#include "base/crypto/keys.h"
#include "base/host_name.h"
#include "base/text.h"
#include "mail/domain_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mailtight::deliver {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ending = ".pem";
constexpr std::size_t key_bytes = 64 * 1024;
constexpr std::size_t keys_max = 20;

/// A descriptor of this file alone.
class open_file {
public:
    explicit open_file(int fd)
        : fd_(fd) {}
    ~open_file() {
        if (fd_ >= 0)
            ::close(fd_);
    }
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

private:
    int fd_;
};

std::string because(const std::string& what, const std::string& path) {
    return fmt::format("{} {}: {}", what, path, std::strerror(errno));
}

std::expected<std::string, std::string> read_secret(const std::string& path) {
    const open_file file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat of{};
    if (!file || ::fstat(file.get(), &of) != 0)
        return std::unexpected(because("cannot read", path));
    if (!S_ISREG(of.st_mode))
        return std::unexpected(fmt::format("{} is no file", path));
    if ((of.st_mode & 077U) != 0)
        return std::unexpected(
            fmt::format("others may read or write {}: chmod 600 {}, and better make a new key", path, path));
    if (of.st_uid != ::geteuid() && of.st_uid != 0)
        return std::unexpected(fmt::format("{} belongs to somebody else", path));
    std::string out(std::min<std::size_t>(static_cast<std::size_t>(of.st_size), key_bytes), '\0');
    std::size_t filled = 0;
    while (filled < out.size()) {
        const auto got = ::read(file.get(), out.data() + filled, out.size() - filled);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return std::unexpected(because("cannot read", path));
        if (got == 0)
            break;
        filled += static_cast<std::size_t>(got);
    }
    out.resize(filled);
    return out;
}

std::expected<void, std::string> write_secret(const std::string& path, std::string_view bytes) {
    const std::string beside = fmt::format("{}.{}.new", path, ::getpid());
    {
        const open_file file(
            ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!file)
            return std::unexpected(because("cannot write", beside));
        while (!bytes.empty()) {
            const auto put = ::write(file.get(), bytes.data(), bytes.size());
            if (put < 0 && errno == EINTR)
                continue;
            if (put <= 0) {
                auto error = because("cannot write", beside);
                ::unlink(beside.c_str());
                return std::unexpected(std::move(error));
            }
            bytes.remove_prefix(static_cast<std::size_t>(put));
        }
        if (::fsync(file.get()) != 0) {
            auto error = because("cannot write", beside);
            ::unlink(beside.c_str());
            return std::unexpected(std::move(error));
        }
    }
    const int linked = ::link(beside.c_str(), path.c_str());
    const int error = errno;
    ::unlink(beside.c_str());
    if (linked != 0 && error != EEXIST) { // somebody else made it just now: theirs is read
        errno = error;
        return std::unexpected(because("cannot write", path));
    }
    const auto folder = fs::path(path).parent_path().string();
    if (const open_file at(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        at)
        (void)::fsync(at.get());
    return {};
}

std::expected<void, std::string> check_folder(const std::string& folder) {
    struct stat of{};
    if (::stat(folder.c_str(), &of) != 0)
        return std::unexpected(because("cannot use the folder", folder));
    if (!S_ISDIR(of.st_mode))
        return std::unexpected(fmt::format("{} is no folder", folder));
    if ((of.st_mode & 022U) != 0)
        return std::unexpected(
            fmt::format("others may write into {}, and so exchange its keys: chmod 700 {}", folder, folder));
    return {};
}

std::expected<std::string, std::string> signing_domain(const std::string& domain) {
    const auto ascii = mail::to_ascii(domain);
    if (!ascii || !base::is_host_name(*ascii))
        return std::unexpected(fmt::format("{} is no domain", base::printable(domain, 100)));
    return base::lower(*ascii);
}

// The selector of `DOMAIN.SELECTOR.pem`. One label: a dot would leave open where the domain ends.
std::string selector_of(const std::string& file, const std::string& domain) {
    if (!file.starts_with(domain + ".") || !file.ends_with(ending) ||
        file.size() <= domain.size() + 1 + ending.size())
        return "";
    auto selector = file.substr(domain.size() + 1);
    selector.resize(selector.size() - ending.size());
    return selector.find('.') == std::string::npos && base::is_host_name(selector) ? selector : "";
}

std::expected<void, std::string> add_key(key_ring& to, const std::string& path, const std::string& domain,
                                         const std::string& selector) {
    auto pem = read_secret(path);
    if (!pem)
        return std::unexpected(pem.error());
    auto signer = mail::dkim_signer::make(domain, selector, *pem);
    std::ranges::fill(*pem, '\0');
    if (!signer)
        return std::unexpected(fmt::format("{}: {}", path, signer.error()));
    key_entry entry;
    entry.selector = base::lower(selector);
    entry.file = path;
    entry.algorithm = signer->algorithm();
    entry.record_name = entry.selector + "._domainkey." + domain;
    entry.record_value = signer->key_record(); // A38
    to.entries.push_back(std::move(entry));
    to.signers.push_back(std::move(*signer));
    return {};
}

} // namespace

std::expected<key_ring, std::string> read_keys(const std::string& folder, const std::string& domain) {
    const auto name = signing_domain(domain);
    if (!name)
        return std::unexpected(name.error());
    key_ring out;
    std::error_code trouble;
    if (!fs::exists(folder, trouble) && !trouble)
        return out;
    if (auto checked = check_folder(folder); !checked)
        return std::unexpected(checked.error());
    std::vector<std::string> files;
    for (fs::directory_iterator at(folder, trouble); !trouble && at != fs::directory_iterator();
         at.increment(trouble))
        if (!selector_of(at->path().filename().string(), *name).empty())
            files.push_back(at->path().filename().string());
    if (trouble)
        return std::unexpected(fmt::format("cannot read the folder {}: {}", folder, trouble.message()));
    if (files.size() > keys_max)
        return std::unexpected(fmt::format("{} has more than {} keys for {}", folder, keys_max, *name));
    std::ranges::sort(files);
    key_ring found;
    for (const auto& file : files)
        if (auto added = add_key(found, (fs::path(folder) / file).string(), *name, selector_of(file, *name));
            !added)
            return std::unexpected(added.error());
    for (const auto algorithm : {mail::dkim_algorithm::rsa_sha256, mail::dkim_algorithm::ed25519_sha256})
        for (std::size_t i = 0; i < found.entries.size(); ++i)
            if (found.entries[i].algorithm == algorithm) {
                out.entries.push_back(std::move(found.entries[i]));
                out.signers.push_back(std::move(found.signers[i]));
            }
    return out;
}

std::expected<key_ring, std::string> make_keys(const std::string& folder, const std::string& domain,
                                               const std::string& selector) {
    const auto name = signing_domain(domain);
    if (!name)
        return std::unexpected(name.error());
    if (selector.find('.') != std::string::npos || !base::is_host_name(selector + "-rsa._domainkey." + *name))
        return std::unexpected(
            fmt::format("{} is no selector: letters, digits and hyphens", base::printable(selector, 100)));
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return std::unexpected(because("cannot make the folder", folder));
    if (auto checked = check_folder(folder); !checked)
        return std::unexpected(checked.error());
    for (const auto& [suffix, kind] :
         {std::pair{"-rsa", base::key_kind::rsa}, {"-ed", base::key_kind::ed25519}}) {
        const auto path =
            (fs::path(folder) / (*name + "." + base::lower(selector) + suffix + std::string(ending)))
                .string();
        if (struct stat there{}; ::lstat(path.c_str(), &there) == 0)
            continue;
        auto pem = base::private_key::new_pem(kind);
        if (!pem)
            return std::unexpected(pem.error());
        const auto written = write_secret(path, *pem);
        std::ranges::fill(*pem, '\0');
        if (!written)
            return std::unexpected(written.error());
    }
    return read_keys(folder, *name);
}

} // namespace mailtight::deliver
