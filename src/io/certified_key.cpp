// SPDX-License-Identifier: Apache-2.0
#include "io/certified_key.h"

#include "base/encode.h"
#include "io/certified_key_state.h"
#include "io/packed_certificate.h"

namespace mailtight::io {

certified_key::certified_key()
    : state_(std::make_unique<state>()) {}

certified_key::~certified_key() = default;

std::expected<std::shared_ptr<const certified_key>, std::string> certified_key::read(std::string_view chain,
                                                                                     std::string_view key) {
    issuer_pool alone;
    const auto packed = packed_certificate::read(chain, key, "", alone);
    if (!packed)
        return std::unexpected(packed.error());
    auto opened = packed->open();
    if (!opened)
        return std::unexpected("there is no memory for a certificate");
    return opened;
}

const std::vector<std::string>& certified_key::names() const {
    return state_->names;
}

base::utc_seconds certified_key::not_before() const {
    return state_->not_before;
}

base::utc_seconds certified_key::not_after() const {
    return state_->not_after;
}

std::string certified_key::leaf_sha256() const {
    unsigned char* der = nullptr;
    const int size = i2d_X509(state_->leaf.get(), &der);
    if (size <= 0)
        return {};
    const std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return base::hex(base::sha256(bytes));
}

} // namespace mailtight::io
