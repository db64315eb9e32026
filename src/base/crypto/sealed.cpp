// SPDX-License-Identifier: Apache-2.0
// The sealed form is `s1.KEY-ID.BASE64`, the bytes being nonce, ciphertext and tag (NIST SP 800-38D: 96 and
// 128 bits). The form, the key's id and the secret's name are authenticated with it. A nonce is drawn for
// each seal; 2^32 of them are safe under one key, which no store of secrets comes near.
// The key's file is one line, `mailtight-sealing-key-1 BASE64`.
#include "base/crypto/sealed.h"

#include "base/crypto/openssl_ptr.h"
#include "base/encode.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace mailtight::base {
namespace {
using namespace openssl;
using cipher_context_ptr = owner<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

constexpr std::size_t key_bytes = 32, nonce_bytes = 12, tag_bytes = 16, id_digits = 8;
constexpr std::size_t secret_bytes_max = 16u << 20, name_bytes_max = 4'096;
constexpr std::string_view form = "s1", file_form = "mailtight-sealing-key-1 ";
constexpr auto head = form.size() + 1 + id_digits + 1; ///< before the base64
constexpr std::size_t file_bytes_max = 256;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}
void forget(std::string& text) {
    OPENSSL_cleanse(text.data(), text.size());
    text.clear();
}
void must(bool done) {
    if (!done) // an installation without AES or random numbers: nothing may go on as if it were sealed
        throw std::runtime_error("OpenSSL cannot seal");
}

class file_descriptor {
public:
    explicit file_descriptor(int fd)
        : fd_(fd) {}
    ~file_descriptor() {
        if (fd_ >= 0)
            ::close(fd_);
    }
    file_descriptor(const file_descriptor&) = delete;
    file_descriptor& operator=(const file_descriptor&) = delete;
    int get() const { return fd_; }

private:
    int fd_;
};

std::string because(const std::string& file, int error) {
    return fmt::format("{}: {}", file, std::generic_category().message(error));
}

// Length first, so that no two lists of parts look alike.
std::string associated(std::string_view id, std::string_view name) {
    return fmt::format("{}.{}.{}.{}", form, id, name.size(), name);
}

bool write_all(int to, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(to, text.data(), text.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

// Made by root for a service: the file belongs to whom its folder belongs to, else the service could not
// read it.
bool give_to_owner_of(const std::filesystem::path& folder, int fd) {
    struct stat of{};
    if (::geteuid() != 0 || ::stat(folder.c_str(), &of) != 0 || of.st_uid == 0)
        return true;
    return ::fchown(fd, of.st_uid, of.st_gid) == 0;
}

} // namespace

struct sealing_key::state {
    std::array<unsigned char, key_bytes> key{};
    std::string id;
    state() = default;
    state(const state&) = delete;
    state& operator=(const state&) = delete;
    ~state() { OPENSSL_cleanse(key.data(), key.size()); }

    void name_it() {
        std::string text = "mailtight sealing key id ";
        text.append(reinterpret_cast<const char*>(key.data()), key.size());
        id = hex(sha256(text)).substr(0, id_digits);
        forget(text);
    }
};

sealing_key::sealing_key()
    : state_(std::make_unique<state>()) {}
sealing_key::sealing_key(sealing_key&&) noexcept = default;
sealing_key& sealing_key::operator=(sealing_key&&) noexcept = default;
sealing_key::~sealing_key() = default;

std::expected<sealing_key, std::string> sealing_key::load(const std::string& file) {
    const file_descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (in.get() < 0)
        return std::unexpected(because(file, errno));
    struct stat of{};
    if (::fstat(in.get(), &of) != 0)
        return std::unexpected(because(file, errno));
    if (!S_ISREG(of.st_mode))
        return std::unexpected(fmt::format("{}: not a file", file));
    if ((of.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return std::unexpected(fmt::format(
            "{}: others than its owner may use it (mode {:04o}); `chmod 600 {}` and consider the key known",
            file, of.st_mode & 07777, file));

    std::string text(file_bytes_max + 1, '\0');
    std::size_t got = 0;
    for (ssize_t n = 0; got < text.size(); got += static_cast<std::size_t>(n)) {
        n = ::read(in.get(), text.data() + got, text.size() - got);
        if (n < 0 && errno == EINTR)
            n = 0;
        else if (n <= 0)
            break;
    }
    text.resize(got);
    std::string_view line = text;
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r'))
        line.remove_suffix(1);
    std::optional<std::string> raw;
    if (line.starts_with(file_form))
        raw = unbase64(line.substr(file_form.size()));
    forget(text);
    sealing_key out;
    const bool whole = raw && raw->size() == key_bytes;
    if (whole) {
        std::ranges::copy(*raw, out.state_->key.begin());
        out.state_->name_it();
    }
    if (raw)
        forget(*raw);
    if (!whole)
        return std::unexpected(fmt::format("{}: no key of this program, or cut off", file));
    return out;
}

// Written beside it and then linked: there is the whole key or none, and never in the place of another.
std::expected<sealing_key, std::string> sealing_key::make(const std::string& file) {
    sealing_key out;
    must(RAND_priv_bytes(out.state_->key.data(), static_cast<int>(key_bytes)) == 1);
    out.state_->name_it();

    auto folder = std::filesystem::path(file).parent_path();
    if (folder.empty())
        folder = ".";
    std::string beside = (folder / ".mailtight-key-XXXXXX").string();
    const file_descriptor to(::mkostemp(beside.data(), O_CLOEXEC)); // mode 0600
    if (to.get() < 0)
        return std::unexpected(because(folder.string(), errno));
    struct unlinked {
        const std::string& name;
        ~unlinked() { ::unlink(name.c_str()); }
    } const at_end{beside};
    std::string raw(reinterpret_cast<const char*>(out.state_->key.data()), key_bytes);
    std::string encoded = base64(raw);
    std::string text(file_form);
    text.reserve(file_bytes_max);
    text.append(encoded).append("\n");
    const bool written = ::fchmod(to.get(), S_IRUSR | S_IWUSR) == 0 && give_to_owner_of(folder, to.get()) &&
                         write_all(to.get(), text) && ::fsync(to.get()) == 0;
    const int problem = errno;
    for (auto* each : {&raw, &encoded, &text})
        forget(*each);
    if (!written)
        return std::unexpected(because(file, problem));
    if (::link(beside.c_str(), file.c_str()) != 0)
        return std::unexpected(because(file, errno));
    const file_descriptor names(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (names.get() < 0 || ::fsync(names.get()) != 0)
        return std::unexpected(because(folder.string(), errno));
    return out;
}

std::string sealing_key::id() const {
    return state_->id;
}

std::string sealing_key::seal(std::string_view name, std::string_view secret) const {
    const clean_errors clean;
    if (secret.size() > secret_bytes_max || name.size() > name_bytes_max)
        throw std::length_error("too long to be sealed");
    std::string sealed(nonce_bytes + secret.size() + tag_bytes, '\0');
    unsigned char* const nonce = bytes_of(sealed);
    unsigned char* const body = nonce + nonce_bytes;
    unsigned char* const tag = body + secret.size();
    must(RAND_bytes(nonce, static_cast<int>(nonce_bytes)) == 1);
    const auto with = associated(state_->id, name);
    const cipher_context_ptr context(EVP_CIPHER_CTX_new());
    int length = 0;
    must(context &&
         EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, state_->key.data(), nonce) == 1 &&
         EVP_EncryptUpdate(context.get(), nullptr, &length, bytes_of(with), static_cast<int>(with.size())) ==
             1 &&
         EVP_EncryptUpdate(context.get(), body, &length, bytes_of(secret), static_cast<int>(secret.size())) ==
             1 &&
         static_cast<std::size_t>(length) == secret.size() &&
         EVP_EncryptFinal_ex(context.get(), tag, &length) == 1 &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag_bytes), tag) == 1);
    return fmt::format("{}.{}.{}", form, state_->id, base64(sealed));
}

std::optional<std::string> sealing_key::id_of(std::string_view sealed) {
    if (sealed.size() <= head || !sealed.starts_with(form) || sealed[form.size()] != '.' ||
        sealed[head - 1] != '.')
        return std::nullopt;
    const auto id = sealed.substr(form.size() + 1, id_digits);
    const bool hex_only =
        std::ranges::all_of(id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    return hex_only ? std::optional<std::string>(id) : std::nullopt;
}

std::expected<std::string, std::string> sealing_key::open(std::string_view name,
                                                          std::string_view sealed) const {
    const clean_errors clean;
    constexpr auto text_max = head + (nonce_bytes + secret_bytes_max + tag_bytes + 2) / 3 * 4;
    const auto id = id_of(sealed);
    if (!id || sealed.size() > text_max || name.size() > name_bytes_max)
        return std::unexpected("not a sealed secret of this program");
    if (*id != state_->id)
        return std::unexpected(fmt::format("sealed under another key ({}; this one is {})", *id, state_->id));
    const auto raw = unbase64(sealed.substr(head));
    if (!raw || raw->size() < nonce_bytes + tag_bytes)
        return std::unexpected("not a sealed secret of this program");
    const std::string_view all = *raw;
    const auto body = all.substr(nonce_bytes, all.size() - nonce_bytes - tag_bytes);
    std::string tag(all.substr(all.size() - tag_bytes));
    const auto with = associated(*id, name);
    const cipher_context_ptr context(EVP_CIPHER_CTX_new());
    std::string out(body.size() + 1, '\0'); // never empty, so that there is somewhere to write to
    int length = 0, rest = 0;
    must(context && EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, state_->key.data(),
                                       bytes_of(all)) == 1);
    const bool genuine = EVP_DecryptUpdate(context.get(), nullptr, &length, bytes_of(with),
                                           static_cast<int>(with.size())) == 1 &&
                         EVP_DecryptUpdate(context.get(), bytes_of(out), &length, bytes_of(body),
                                           static_cast<int>(body.size())) == 1 &&
                         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(tag_bytes),
                                             tag.data()) == 1 &&
                         EVP_DecryptFinal_ex(context.get(), bytes_of(out) + length, &rest) == 1;
    if (!genuine) {
        forget(out); // what it says before it is known to be genuine is nobody's business
        return std::unexpected("altered, or sealed under another name");
    }
    out.resize(body.size());
    return out;
}

} // namespace mailtight::base
