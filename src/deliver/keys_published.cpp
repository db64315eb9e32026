// SPDX-License-Identifier: Apache-2.0
// What the DNS has for our keys: judge_published() and the form to put there, zone_line().
#include "deliver/keys.h"

#include "base/text.h"
#include "mail/dkim_key.h"
#include "mail/dkim_tags.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::deliver {
namespace {

std::string key_bytes(std::string_view record) {
    const auto tags = mail::dkim_tags::read(record);
    return tags ? mail::folded_base64(tags->value("p")).value_or("") : "";
}

// An RSA key may stand there bare (PKCS#1) or inside a SubjectPublicKeyInfo, whose end is the bare one.
bool is_same_key(std::string_view ours, std::string_view theirs, mail::dkim_algorithm algorithm) {
    constexpr std::size_t smallest = 100; // under any RSA key that verifiers take
    return ours == theirs || (algorithm == mail::dkim_algorithm::rsa_sha256 && theirs.size() > smallest &&
                              ours.ends_with(theirs));
}

std::vector<std::string> judge_record(const key_entry& key, std::string_view text) {
    std::vector<std::string> out;
    const auto record = mail::read_dkim_key(text);
    if (!record.key) {
        out.push_back(fmt::format("{}: {}", key.record_name, record.problem));
        return out;
    }
    if (!is_same_key(key_bytes(key.record_value), key_bytes(text), key.algorithm)) {
        out.push_back(fmt::format("{} publishes another key than {} holds: every signature fails",
                                  key.record_name, key.file));
        return out;
    }
    if (!record.for_email) // A38
        out.push_back(
            fmt::format("{} has a service type (s=) without email: gateways take the mail for unsigned "
                        "before anybody looks for the report; leave s= out, or write s=email:tlsrpt",
                        key.record_name));
    else if (!record.for_tlsrpt) // 8460-3-m, 8460-3-n
        out.push_back(
            fmt::format("{} has a service type (s=) without tlsrpt: receivers may ignore the reports; "
                        "leave s= out, or write s=email:tlsrpt",
                        key.record_name));
    if (record.in_test) // 6376-3.6.1-t
        out.push_back(fmt::format("{} has t=y: receivers take the mail for unsigned, and ignore the reports",
                                  key.record_name));
    if (!record.takes_sha256)
        out.push_back(fmt::format("{} does not allow sha256 (h=)", key.record_name));
    return out;
}

} // namespace

std::vector<std::string> judge_published(const key_entry& key, const mail::dkim_key_answer& published) {
    using status = mail::dkim_key_answer::status;
    if (published.what == status::unavailable)
        return {fmt::format("the DNS gave no answer for {}", key.record_name)};
    std::vector<std::string_view> keys;
    for (const auto& text : published.texts)
        if (mail::read_dkim_key(text).is_key)
            keys.push_back(text);
    if (published.what == status::absent || published.texts.empty() || keys.empty())
        return {fmt::format("there is no key at {}", key.record_name)};
    if (keys.size() > 1) // RFC 6376 §3.6.2.2: what a verifier does then is not defined
        return {fmt::format("{} has {} keys; verifiers may take any of them", key.record_name, keys.size())};
    return judge_record(key, keys.front());
}

std::string zone_line(const key_entry& key) {
    constexpr std::size_t string_bytes = 255; // RFC 1035 §3.3.14
    std::string out = key.record_name + ". IN TXT (";
    for (std::size_t at = 0; at < key.record_value.size(); at += string_bytes)
        out += " \"" + key.record_value.substr(at, string_bytes) + "\"";
    return out + " )";
}

} // namespace mailtight::deliver
