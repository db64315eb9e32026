// SPDX-License-Identifier: Apache-2.0
// OpenSSL's own verdict beside ours: on names, and on the chains that tests/support makes.
#include "base/crypto/certificate.h"
#include "base/text.h"
#include "support/certificates.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

using namespace mailtight;
using namespace mailtight::base;

namespace {

/// A name near the host's: each label kept (one time in three in upper case) or made something else, the
/// first one often a star; at times a label more or less.
std::string presented_near(std::vector<std::string> labels) {
    for (auto& label : labels) {
        if (*rc::gen::inRange(0, 4) == 0)
            label =
                *rc::gen::elementOf(std::vector<std::string>{"a", "b", "xn--a", "*", "a*", "*a", "**", ""});
        else if (*rc::gen::inRange(0, 3) == 0)
            std::ranges::transform(label, label.begin(),
                                   [](char c) { return is_alpha(c) ? char(c & ~0x20) : c; });
    }
    if (*rc::gen::arbitrary<bool>())
        labels.front() = "*";
    const int size = *rc::gen::inRange(0, 6);
    if (size == 0)
        labels.insert(labels.begin(), *rc::gen::elementOf(std::vector<std::string>{"a", "*"}));
    else if (size == 1 && labels.size() > 3)
        labels.erase(labels.begin());
    return join(labels, ".");
}

RC_GTEST_PROP(NamesHost, AgreesWithOpenssl, ()) {
    // From three labels on: below that OpenSSL takes no star at all (`*.com`), which is its own caution.
    const auto labels = *rc::gen::container<std::vector<std::string>>(
        *rc::gen::inRange<std::size_t>(3, 6),
        rc::gen::elementOf(std::vector<std::string>{"a", "b", "B", "xn--a"}));
    const auto host = join(labels, "."), presented = presented_near(labels);
    const auto made = tests::issue({.common_name = host, .dns_names = {presented}, .key = "Ed25519"});
    const auto cert = parse_certificate(made.der());
    RC_ASSERT(cert.has_value());
    constexpr unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    const int verdict = X509_check_host(made.cert(), host.data(), host.size(), flags, nullptr);
    const bool named = names_host(*cert, host);
    RC_CLASSIFY(named);
    RC_ASSERT(named == (verdict == 1));
}

int verify(const tests::identity& leaf, const tests::identity& root,
           const std::vector<const tests::identity*>& sent) {
    using store_ptr = openssl::owner<X509_STORE, X509_STORE_free>;
    using context_ptr = openssl::owner<X509_STORE_CTX, X509_STORE_CTX_free>;
    const store_ptr store(X509_STORE_new());
    X509_STORE_add_cert(store.get(), root.cert());
    STACK_OF(X509)* untrusted = sk_X509_new_null();
    for (const auto* cert : sent)
        sk_X509_push(untrusted, cert->cert());
    const context_ptr context(X509_STORE_CTX_new());
    X509_STORE_CTX_init(context.get(), store.get(), leaf.cert(), untrusted);
    X509_STORE_CTX_set_default(context.get(), "ssl_server");
    X509_verify_cert(context.get());
    const int error = X509_STORE_CTX_get_error(context.get());
    sk_X509_free(untrusted); // the certificates are their owners'
    return error;
}

TEST(MadeCertificates, VerifyAsTheyShould) {
    using namespace std::chrono_literals;
    const auto now = system_clock{}.now();
    const auto root = tests::make_root(), other = tests::make_root("Other Root");
    const auto middle = tests::make_intermediate(root);
    const auto leaf = tests::make_leaf(middle, {"mx.example.com"});
    EXPECT_EQ(verify(leaf, root, {&middle}), X509_V_OK);
    EXPECT_EQ(verify(leaf, root, {}), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY) << "no intermediate";
    EXPECT_EQ(verify(leaf, other, {&middle}), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY) << "another root";
    const auto expired = tests::issue({.dns_names = {"mx.example.com"}, .not_after = now - 1h}, &root);
    EXPECT_EQ(verify(expired, root, {}), X509_V_ERR_CERT_HAS_EXPIRED);
    const auto early = tests::issue({.dns_names = {"mx.example.com"}, .not_before = now + 1h}, &root);
    EXPECT_EQ(verify(early, root, {}), X509_V_ERR_CERT_NOT_YET_VALID);
    const auto lone = tests::issue({.dns_names = {"mx.example.com"}});
    EXPECT_EQ(verify(lone, root, {}), X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
}

} // namespace
