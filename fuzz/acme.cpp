// SPDX-License-Identifier: Apache-2.0
// Any bytes as what a certificate authority says: every reader gives a value within its limits or an error in
// words, and nothing that was read can leave the text that is made of it.
#include "wire/acme.h"
#include "base/base64url.h"
#include "base/text.h"

#include <boost/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace mailtight;

namespace {

void must(bool holds) {
    if (!holds)
        std::abort();
}
void must_be_url(const std::string& text) {
    must(text.empty() || text.starts_with("https://") || text.starts_with("http://"));
    must(text.size() <= 2'048);
    must(std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; }));
}
void must_be_words(const std::string& text) {
    must(base::is_utf8(text) && text.find_first_of("\r\n\x1b") == std::string::npos);
}

void look_at(const std::optional<wire::acme_problem>& problem) {
    if (!problem)
        return;
    must_be_words(problem->type);
    must_be_words(problem->detail);
    must(problem->by_name.size() <= 300);
    for (const auto& [name, words] : problem->by_name) {
        must_be_words(name);
        must_be_words(words);
    }
}

template<class T>
void must_say_why(const std::expected<T, std::string>& read) {
    must(read || !read.error().empty());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto directory = wire::read_acme_directory(bytes);
    must_say_why(directory);
    if (directory) {
        for (const auto* url : {&directory->new_nonce, &directory->new_account, &directory->new_order})
            must(!url->empty());
        for (const auto* url : {&directory->new_nonce, &directory->new_account, &directory->new_order,
                                &directory->revoke, &directory->key_change, &directory->renewal_info})
            must_be_url(*url);
        must_be_words(directory->terms);
        for (const auto& [name, words] : directory->profiles)
            must_be_words(words);
    }
    const auto order = wire::read_acme_order(bytes);
    must_say_why(order);
    if (order) {
        must(!order->finalize.empty() && !order->status.empty());
        must_be_url(order->finalize);
        must_be_url(order->certificate);
        for (const auto& url : order->authorizations)
            must_be_url(url);
        look_at(order->error);
    }
    const auto authorization = wire::read_acme_authorization(bytes);
    must_say_why(authorization);
    if (authorization) {
        must(authorization->challenges.size() <= 32);
        for (const auto& one : authorization->challenges) {
            must_be_url(one.url);
            must(std::ranges::all_of(one.token,
                                     [](char c) { return base::is_alnum(c) || c == '-' || c == '_'; }));
            look_at(one.error);
        }
    }
    const auto window = wire::read_acme_window(bytes);
    must_say_why(window);
    must(!window || window->from < window->to);
    must_say_why(wire::read_acme_account(bytes));
    must_say_why(wire::read_acme_orders(bytes));
    const auto problem = wire::read_acme_problem(400, bytes);
    must(!problem.detail.empty() || !problem.type.empty());
    look_at(problem);
    const auto wait = wire::retry_after(bytes, base::utc_seconds{std::chrono::seconds{1'790'000'000}});
    must(!wait || (wait->count() >= 0 && wait->count() <= 86'400));
    if (const auto raw = base::unbase64url(bytes))
        must(base::unbase64url(base::base64url(*raw)) == *raw);
    // Whatever is quoted, the request stays one JSON object.
    boost::system::error_code wrong;
    const auto payload = boost::json::parse(wire::new_order_payload(base::printable(bytes), "", ""), wrong);
    must(!wrong && payload.as_object().size() == 1);
    return 0;
}
