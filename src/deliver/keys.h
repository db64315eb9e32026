// SPDX-License-Identifier: Apache-2.0
// The DKIM keys of the report sender: made, kept in files that only we can read, and their DNS records. No
// key leaves this room but inside a signer.
#pragma once

#include "mail/dkim.h"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::deliver {

struct key_entry {
    std::string selector, file;
    mail::dkim_algorithm algorithm = mail::dkim_algorithm::rsa_sha256;
    std::string record_name;  ///< SELECTOR._domainkey.DOMAIN
    std::string record_value; ///< `v=DKIM1; k=...; p=...`: without `s=`, or with email and tlsrpt (A38)
};
struct key_ring {
    std::vector<mail::dkim_signer> signers; ///< RSA first
    std::vector<key_entry> entries;
};
/// Reads the keys of a domain in a folder, `DOMAIN.SELECTOR.pem` each. Files that others can read are
/// refused. No key: an empty ring. The error is for a person.
std::expected<key_ring, std::string> read_keys(const std::string& folder, const std::string& domain);
/// Makes an RSA 2048 and an Ed25519 key where there is none yet, with selectors `SELECTOR-rsa` and
/// `SELECTOR-ed`; never writes over a key. `selector` is one label. The folder is made for us alone where it
/// is missing. All keys of the domain come back, those of other selectors too.
std::expected<key_ring, std::string> make_keys(const std::string& folder, const std::string& domain,
                                               const std::string& selector);
/// What is wrong with the published records of these keys (missing, another key, `s=tlsrpt` alone); empty:
/// fine.
std::vector<std::string> judge_published(const key_entry& key, const mail::dkim_key_answer& published);

/// The record as a line of a zone file, the text in strings of at most 255 bytes (RFC 1035 §3.3.14).
std::string zone_line(const key_entry& key);

} // namespace mailtight::deliver
