// SPDX-License-Identifier: Apache-2.0
// The inside of ec_key, for base/crypto and io/ alone.
#pragma once

#include "base/crypto/issuing.h"
#include "base/crypto/openssl_ptr.h"

namespace mailtight::base {

struct ec_key::state {
    openssl::key_ptr key;
};

} // namespace mailtight::base
