// SPDX-License-Identifier: Apache-2.0
// The organisational domain by the public suffix list: the system's copy (package publicsuffix), or the one
// that libpsl was built with where that is newer or the only one.
#include "base/limits.h"
#include "base/text.h"
#include "mail/domain_name.h"

#include <libpsl.h>

#include <memory>

namespace mailtight::mail {
namespace {

struct list_free {
    void operator()(psl_ctx_t* list) const { psl_free(list); }
};

const psl_ctx_t* list() {
    static const std::unique_ptr<psl_ctx_t, list_free> latest(psl_latest(nullptr));
    return latest ? latest.get() : psl_builtin();
}

// What libpsl may be asked: lower case, no trailing dot, bounded, a C string.
std::string question(std::string_view name) {
    if (name.ends_with('.'))
        name.remove_suffix(1);
    if (name.size() > base::limits::dns_name_text_max || name.find('\0') != std::string_view::npos)
        return {};
    return base::lower(name);
}

} // namespace

bool is_public_suffix(std::string_view name) {
    const auto asked = question(name);
    return !asked.empty() && psl_is_public_suffix2(list(), asked.c_str(), PSL_TYPE_ANY) != 0;
}

std::string organizational_domain(std::string_view name) {
    const auto asked = question(name);
    if (asked.empty())
        return std::string(name);
    const char* registrable = psl_registrable_domain(list(), asked.c_str()); // points into `asked`
    return registrable != nullptr ? registrable : asked;
}

} // namespace mailtight::mail
