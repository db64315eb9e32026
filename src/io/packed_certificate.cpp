// SPDX-License-Identifier: Apache-2.0
// Entries: packed_certificate::read and open. OpenSSL 3 spends most of the time of reading a certificate on
// finding a decoder for its public key (117 us, against 13 for the rest), and as much again on a private key.
// In a library context without providers it finds none and reads what it always could by itself; the public
// key is then taken from the private one, which the certificate holds byte for byte, or the pair is refused.
// What cannot be read so (other kinds of key) is read in the usual way.
#include "io/packed_certificate.h"

#include "base/crypto/certificate.h"
#include "base/encode.h"
#include "base/text.h"
#include "io/certified_key_state.h"

#include <fmt/format.h>

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/provider.h>

#include <algorithm>
#include <chrono>
#include <ctime>

namespace mailtight::io {

namespace {

namespace openssl = base::openssl;
using failure = std::unexpected<std::string>;

struct context_free {
    void operator()(OSSL_LIB_CTX* it) const { OSSL_LIB_CTX_free(it); }
};
struct provider_free {
    void operator()(OSSL_PROVIDER* it) const { OSSL_PROVIDER_unload(it); }
};

/// A library context in which there is nothing to be fetched.
OSSL_LIB_CTX* bare() {
    struct pair {
        std::unique_ptr<OSSL_LIB_CTX, context_free> context;
        std::unique_ptr<OSSL_PROVIDER, provider_free> nothing; // goes before its context
    };
    static const pair both = [] {
        pair made{std::unique_ptr<OSSL_LIB_CTX, context_free>(OSSL_LIB_CTX_new()), nullptr};
        if (made.context)
            made.nothing.reset(OSSL_PROVIDER_load(made.context.get(), "null"));
        if (!made.nothing)
            made.context.reset();
        return made;
    }();
    return both.context.get();
}

const unsigned char* bytes_of(const std::string& der) {
    return reinterpret_cast<const unsigned char*>(der.data());
}

/// One block of a PEM text.
struct block {
    std::string label, bytes;
    bool locked = false; ///< by a passphrase
};

/// The next block; nothing at the end. What cannot be read is an error.
std::expected<std::optional<block>, std::string> next_block(BIO* from) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    ERR_clear_error();
    if (PEM_read_bio(from, &name, &header, &data, &size) != 1) {
        const bool over = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        const auto reason = openssl::last_reason();
        ERR_clear_error();
        if (over)
            return std::nullopt;
        return failure(fmt::format("it is no PEM: {}", reason));
    }
    block found{name, {reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)}, false};
    found.locked = *header != '\0' || found.label == "ENCRYPTED PRIVATE KEY";
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));
    return found;
}

openssl::bio_ptr reader_of(std::string_view text) {
    return openssl::bio_ptr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

openssl::x509_ptr parse_leaf(const std::string& der, OSSL_LIB_CTX* in) {
    X509* made = X509_new_ex(in, nullptr);
    const auto* at = bytes_of(der);
    if (made && !d2i_X509(&made, &at, static_cast<long>(der.size())))
        made = nullptr; // which it has freed
    openssl::x509_ptr leaf(made);
    return leaf && at == bytes_of(der) + der.size() ? std::move(leaf) : nullptr;
}

std::string encoded(const X509* leaf) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(leaf, &der);
    if (size <= 0)
        return {};
    std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return bytes;
}

std::vector<std::string> names_of(const X509* leaf) {
    std::vector<std::string> names;
    const openssl::general_names_ptr found(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; found && i < sk_GENERAL_NAME_num(found.get()); ++i) {
        const auto* name = sk_GENERAL_NAME_value(found.get(), i);
        if (name->type != GEN_DNS)
            continue;
        names.push_back(base::lower({reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                                     static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))}));
    }
    return names;
}

base::utc_seconds time_of(const ASN1_TIME* from) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(from, &parts) != 1)
        return {};
    return std::chrono::sys_seconds(std::chrono::seconds(::timegm(&parts)));
}

/// The point of an elliptic curve that is the certificate's public key; "" for other kinds.
std::string_view point_of(const X509* leaf, int& kind) {
    ASN1_OBJECT* algorithm = nullptr;
    const unsigned char* key = nullptr;
    int size = 0;
    if (X509_PUBKEY_get0_param(&algorithm, &key, &size, nullptr, X509_get_X509_PUBKEY(leaf)) != 1)
        return {};
    kind = OBJ_obj2nid(algorithm);
    if (kind != EVP_PKEY_EC || size < 65)
        return {};
    return {reinterpret_cast<const char*>(key), static_cast<std::size_t>(size)};
}

struct pair {
    openssl::x509_ptr leaf;
    openssl::key_ptr key;
};

/// Without decoders; empty where that cannot be.
pair open_bare(const std::string& leaf_der, const std::string& key_der, int kind) {
    if (!bare() || (kind != EVP_PKEY_EC && kind != EVP_PKEY_RSA))
        return {};
    pair made;
    const auto* at = bytes_of(key_der);
    made.key.reset(d2i_PrivateKey_ex(kind, nullptr, &at, static_cast<long>(key_der.size()), bare(), nullptr));
    made.leaf = parse_leaf(leaf_der, bare());
    const bool same = made.key && made.leaf && X509_set_pubkey(made.leaf.get(), made.key.get()) == 1 &&
                      encoded(made.leaf.get()) == leaf_der;
    return same ? std::move(made) : pair{};
}

pair open_plain(const std::string& leaf_der, const std::string& key_der) {
    pair made;
    const auto* at = bytes_of(key_der);
    made.key.reset(d2i_AutoPrivateKey_ex(nullptr, &at, static_cast<long>(key_der.size()), nullptr, nullptr));
    made.leaf = parse_leaf(leaf_der, nullptr);
    return made;
}

/// The first block that is a key.
std::expected<std::string, std::string> key_of(std::string_view text) {
    const auto from = reader_of(text);
    for (;;) {
        auto next = from ? next_block(from.get()) : std::nullopt;
        if (!next)
            return failure("the key: " + next.error());
        if (!*next)
            return failure("no private key in PEM form is there");
        auto& found = **next;
        if (!found.label.ends_with("PRIVATE KEY")) // the curve's name, or the certificate of the same file
            continue;
        if (found.locked)
            return failure("the key has a passphrase, and nobody could type it");
        return std::move(found.bytes);
    }
}

/// The full check, for what the quick one cannot tell.
std::optional<std::string> wrong_with(const std::string& leaf, const std::string& key) {
    const auto made = open_plain(leaf, key);
    if (!made.leaf || !made.key)
        return fmt::format("the key cannot be read: {}", openssl::last_reason());
    if (X509_check_private_key(made.leaf.get(), made.key.get()) != 1)
        return "this is not the key of the certificate";
    // RFC 9325 §4.5
    if (EVP_PKEY_get_base_id(made.key.get()) == EVP_PKEY_RSA && EVP_PKEY_get_bits(made.key.get()) < 2048)
        return "an RSA key of less than 2048 bits is refused by those who fetch policies";
    return std::nullopt;
}

} // namespace

std::expected<std::shared_ptr<const issuer_chain>, std::string> issuer_pool::get(std::string_view pem) {
    pem = base::trim(pem);
    if (pem.empty())
        return nullptr;
    std::erase_if(known_, [](const auto& one) { return one.second.expired(); });
    auto& kept = known_[base::sha256(pem)];
    if (auto held = kept.lock())
        return held;
    const auto from = reader_of(pem);
    auto made = std::make_shared<issuer_chain>();
    if (!from || !made->certificates)
        return failure("there is no memory for a certificate");
    ERR_clear_error();
    while (X509* next = PEM_read_bio_X509(from.get(), nullptr, nullptr, nullptr)) {
        if (sk_X509_push(made->certificates.get(), next) <= 0)
            X509_free(next);
    }
    const bool over = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const auto reason = openssl::last_reason();
    ERR_clear_error();
    if (!over)
        return failure(fmt::format("a certificate of the chain cannot be read: {}", reason));
    if (sk_X509_num(made->certificates.get()) == 0)
        return nullptr;
    kept = made;
    return made;
}

std::expected<packed_certificate, std::string> packed_certificate::read(std::string_view chain,
                                                                        std::string_view key,
                                                                        std::string_view host,
                                                                        issuer_pool& shared) {
    const openssl::clean_errors guard;
    const auto from = reader_of(chain);
    auto first = from ? next_block(from.get()) : std::nullopt;
    while (first && *first && !(*first)->label.ends_with("CERTIFICATE"))
        first = next_block(from.get()); // a key may stand before it in the same file
    if (!first)
        return failure("the certificate: " + first.error());
    if (!*first)
        return failure("no certificate in PEM form is there");
    packed_certificate made;
    made.leaf_ = std::move((*first)->bytes);
    char* rest = nullptr;
    const long left = BIO_get_mem_data(from.get(), &rest);
    auto issuers = shared.get({rest, static_cast<std::size_t>(left)});
    if (!issuers)
        return failure(std::move(issuers.error()));
    made.issuers_ = std::move(*issuers);
    auto private_part = key_of(key);
    if (!private_part)
        return failure(std::move(private_part.error()));
    made.key_ = std::move(*private_part);

    ERR_clear_error();
    const auto leaf = parse_leaf(made.leaf_, bare());
    if (!leaf)
        return failure(fmt::format("the certificate cannot be read: {}", openssl::last_reason()));
    if (!host.empty()) { // 8461-3.3-a
        const auto names = names_of(leaf.get());
        if (std::ranges::none_of(names, [&](const auto& one) { return base::dns_name_matches(one, host); }))
            return failure(fmt::format("the certificate does not name {} but {}", host,
                                       names.empty() ? "nothing" : base::printable(base::join(names, ", "))));
    }
    // Keys of elliptic curves hold their public point: that it is the certificate's is seen at once.
    const auto point = point_of(leaf.get(), made.kind_);
    if (point.empty() || made.key_.find(point) == std::string::npos) {
        if (auto wrong = wrong_with(made.leaf_, made.key_))
            return failure(std::move(*wrong));
    }
    made.leaf_.shrink_to_fit();
    made.key_.shrink_to_fit();
    return made;
}

packed_certificate& packed_certificate::operator=(packed_certificate&& other) noexcept {
    leaf_.swap(other.leaf_);
    key_.swap(other.key_);
    issuers_.swap(other.issuers_);
    std::swap(kind_, other.kind_);
    return *this;
}

packed_certificate::~packed_certificate() {
    OPENSSL_cleanse(key_.data(), key_.size());
}

std::shared_ptr<const certified_key> packed_certificate::open() const {
    const openssl::clean_errors guard;
    auto made = open_bare(leaf_, key_, kind_);
    if (!made.leaf)
        made = open_plain(leaf_, key_);
    if (!made.leaf || !made.key)
        return nullptr;
    const std::shared_ptr<certified_key> opened(new certified_key);
    auto& into = *opened->state_;
    into.names = names_of(made.leaf.get());
    into.not_before = time_of(X509_get0_notBefore(made.leaf.get()));
    into.not_after = time_of(X509_get0_notAfter(made.leaf.get()));
    // Extensions are read once, now: without a digest to be fetched that complains, and a handshake would
    // take the complaint for its own.
    X509_check_purpose(made.leaf.get(), -1, 0);
    into.leaf = std::move(made.leaf);
    into.key = std::move(made.key);
    into.issuers = issuers_;
    return opened;
}

} // namespace mailtight::io
