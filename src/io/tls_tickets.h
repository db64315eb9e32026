// SPDX-License-Identifier: Apache-2.0
// The keys of session tickets of a TLS server (tls_server.cpp). load() replaces them; whoever gives
// certificates by `more` does it here. On the loop's thread.
#pragma once

#include "io/server.h"

namespace mailtight::io {

/// Sessions of before cannot be resumed, and no key of now opens them.
void forget_tickets(const tls_server& of);

} // namespace mailtight::io
