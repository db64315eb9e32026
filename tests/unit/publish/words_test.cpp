// SPDX-License-Identifier: Apache-2.0
#include "publish/export.h"
#include "publish/issuer.h"

#include <gtest/gtest.h>

namespace mailtight::publish {
namespace {

TEST(PublishWords, AWordIsReadAsItIsWritten) {
    for (const auto kind : {challenge_kind::tls_alpn_01, challenge_kind::http_01, challenge_kind::dns_01})
        EXPECT_EQ(parse_challenge_kind(to_string(kind)), kind);
    for (const auto form : {export_form::directory, export_form::nginx, export_form::caddy,
                            export_form::apache, export_form::worker})
        EXPECT_EQ(parse_export_form(to_string(form)), form);
    EXPECT_FALSE(parse_challenge_kind("dns-02"));
    EXPECT_FALSE(parse_export_form(""));
}

} // namespace
} // namespace mailtight::publish
