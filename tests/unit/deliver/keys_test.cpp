// SPDX-License-Identifier: Apache-2.0
// Keys of the report sender: made once, kept to ourselves, and their records in the DNS.
#include "deliver/keys.h"

#include "base/encode.h"
#include "base/text.h"
#include "mail/dkim_key.h"
#include "support/dkim.h"
#include "support/proves.h"
#include "support/scratch.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include <sys/stat.h>
#include <unistd.h>

namespace mailtight::deliver {
namespace {

using namespace testing;
using mail::dkim_algorithm;
using status = mail::dkim_key_answer::status;

std::string bytes_of(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
}
unsigned mode_of(const std::string& path) {
    struct stat of{};
    return ::stat(path.c_str(), &of) == 0 ? of.st_mode & 07777U : 0;
}
std::vector<std::string> selectors(const key_ring& of) {
    std::vector<std::string> out;
    for (const auto& entry : of.entries)
        out.push_back(entry.selector);
    return out;
}

TEST(keys, are_made_for_us_alone) {
    PROVES("8463", "8301-3");
    const tests::scratch_folder scratch;
    const auto folder = scratch / "keys";
    const auto made = make_keys(folder, "Example.NET", "mt");
    ASSERT_TRUE(made) << made.error();
    EXPECT_EQ(mode_of(folder), 0700u);
    ASSERT_EQ(made->entries.size(), 2u);
    ASSERT_EQ(made->signers.size(), 2u);
    const auto &rsa = made->entries[0], &ed = made->entries[1];
    EXPECT_EQ(rsa.file, folder + "/example.net.mt-rsa.pem");
    EXPECT_EQ(rsa.record_name, "mt-rsa._domainkey.example.net");
    EXPECT_EQ(rsa.algorithm, dkim_algorithm::rsa_sha256);
    EXPECT_EQ(ed.record_name, "mt-ed._domainkey.example.net");
    EXPECT_EQ(ed.algorithm, dkim_algorithm::ed25519_sha256);
    for (const auto& entry : made->entries) {
        EXPECT_EQ(mode_of(entry.file), 0600u);
        EXPECT_THAT(bytes_of(entry.file), StartsWith("-----BEGIN PRIVATE KEY-----\n")) << "PKCS#8";
    }
    EXPECT_EQ(mail::read_dkim_key(rsa.record_value).key->bits(), 2048u);
    EXPECT_EQ(mail::read_dkim_key(ed.record_value).key->kind(), base::key_kind::ed25519);
    int files = 0;
    for (const auto& at : std::filesystem::directory_iterator(folder))
        files += at.path().extension() == ".pem" ? 1 : 100;
    EXPECT_EQ(files, 2) << "nothing else is left there";
}

TEST(keys, are_never_written_over) {
    const tests::scratch_folder scratch;
    const auto folder = scratch / "keys";
    ASSERT_TRUE(make_keys(folder, "example.net", "mt"));
    const auto before = bytes_of(folder + "/example.net.mt-rsa.pem");
    ASSERT_TRUE(make_keys(folder, "example.net", "mt"));
    EXPECT_EQ(bytes_of(folder + "/example.net.mt-rsa.pem"), before);
    std::filesystem::remove(folder + "/example.net.mt-ed.pem"); // the one that is missing is made
    const auto again = make_keys(folder, "example.net", "mt");
    ASSERT_TRUE(again);
    EXPECT_THAT(selectors(*again), ElementsAre("mt-rsa", "mt-ed"));
    EXPECT_EQ(bytes_of(folder + "/example.net.mt-rsa.pem"), before);
    std::ofstream(folder + "/example.net.odd-rsa.pem") << "no key"; // somebody's, whatever it is
    ::chmod((folder + "/example.net.odd-rsa.pem").c_str(), 0600);
    EXPECT_FALSE(make_keys(folder, "example.net", "odd"));
    EXPECT_EQ(bytes_of(folder + "/example.net.odd-rsa.pem"), "no key");
}

TEST(keys, of_a_domain_are_read_rsa_first) {
    const tests::scratch_folder scratch;
    const auto folder = scratch / "keys";
    ASSERT_TRUE(make_keys(folder, "example.com", "a"));
    ASSERT_TRUE(make_keys(folder, "example.com.au", "b"));
    ASSERT_TRUE(make_keys(folder, "mail.example.com", "c"));
    ASSERT_TRUE(make_keys(folder, "example.com", "d"));
    const auto ring = read_keys(folder, "example.com");
    ASSERT_TRUE(ring) << ring.error();
    EXPECT_THAT(selectors(*ring), ElementsAre("a-rsa", "d-rsa", "a-ed", "d-ed")) << "no other domain's";
    for (std::size_t i = 0; i < ring->entries.size(); ++i)
        EXPECT_EQ(ring->signers[i].algorithm(), ring->entries[i].algorithm);
    EXPECT_THAT(selectors(*read_keys(folder, "example.org")), IsEmpty());
    EXPECT_THAT(selectors(*read_keys(scratch / "nowhere", "example.com")), IsEmpty());
}

struct mode_row {
    unsigned file, folder;
    const char* error; // "" : fine
};
TEST(keys, that_others_can_reach_are_refused) {
    const tests::scratch_folder scratch;
    const auto folder = scratch / "keys";
    ASSERT_TRUE(make_keys(folder, "example.net", "mt"));
    const auto file = folder + "/example.net.mt-rsa.pem";
    for (const auto& [file_mode, folder_mode, error] :
         {mode_row{0600, 0700, ""}, mode_row{0400, 0755, ""},
          mode_row{0640, 0700, "others may read or write"}, mode_row{0604, 0700, "others may read or write"},
          mode_row{0620, 0700, "others may read or write"}, mode_row{0600, 0770, "others may write into"},
          mode_row{0600, 0703, "others may write into"}}) {
        ::chmod(file.c_str(), file_mode);
        ::chmod(folder.c_str(), folder_mode);
        const auto ring = read_keys(folder, "example.net");
        EXPECT_EQ(ring.has_value(), std::string_view(error).empty()) << file_mode << " " << folder_mode;
        if (!ring)
            EXPECT_THAT(ring.error(), HasSubstr(error));
    }
}

struct bad_row {
    std::string name, content, error;
};
TEST(keys, that_are_none_are_refused_with_their_name) {
    const std::vector<bad_row> rows{
        {"example.net.x.pem", "", "cannot be read"},
        {"example.net.x.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
         "cannot be read"},
        {"example.net.x.pem", tests::make_key_pem("RSA", 512), "512 bits"},
        {"example.net.x.pem", std::string(200'000, 'a'), "cannot be read"},
    };
    for (const auto& [name, content, error] : rows) {
        const tests::scratch_folder folder;
        std::ofstream(folder / name) << content;
        ::chmod((folder / name).c_str(), 0600);
        const auto ring = read_keys(folder.path(), "example.net");
        ASSERT_FALSE(ring) << content;
        EXPECT_THAT(ring.error(), AllOf(HasSubstr(name), HasSubstr(error)));
    }
    const tests::scratch_folder folder;
    std::filesystem::create_directory(folder / "example.net.x.pem");
    EXPECT_FALSE(read_keys(folder.path(), "example.net")) << "a folder";
    ::mkfifo((folder / "example.org.x.pem").c_str(), 0600);
    EXPECT_FALSE(read_keys(folder.path(), "example.org")) << "a pipe, which nobody ever writes into";
    EXPECT_FALSE(make_keys(folder / "k", "no domain", "mt"));
    EXPECT_FALSE(make_keys(folder / "k", "example.net", "a.b"));
    EXPECT_FALSE(make_keys(folder / "k", "example.net", "../x"));
    EXPECT_FALSE(make_keys(folder / "k", "example.net", std::string(64, 'a')));
    EXPECT_FALSE(make_keys(folder / "no/such", "example.net", "mt"));
}

// ---- in the DNS ----

const key_ring& ring() {
    static const tests::scratch_folder scratch;
    static const auto made = std::move(make_keys(scratch / "keys", "example.net", "mt").value());
    return made;
}
mail::dkim_key_answer answer(std::vector<std::string> texts) {
    return {status::found, std::move(texts), 300};
}

TEST(keys, are_published_for_mail_and_reports) {
    PROVES("A38", "8460-3-m");
    EXPECT_THAT(ring().entries[0].record_value, StartsWith("v=DKIM1; k=rsa; s=email:tlsrpt; p="));
    EXPECT_THAT(ring().entries[1].record_value, StartsWith("v=DKIM1; k=ed25519; s=email:tlsrpt; p="));
    for (const auto& key : ring().entries)
        EXPECT_THAT(judge_published(key, answer({key.record_value})), IsEmpty());
}

TEST(keys, are_written_for_a_zone_file_in_strings_of_255) {
    for (const auto& key : ring().entries) {
        const auto line = zone_line(key);
        EXPECT_TRUE(line.starts_with(key.record_name + ". IN TXT ("));
        std::string joined;
        const auto parts = base::split(line, '"');
        for (std::size_t i = 1; i < parts.size(); i += 2) {
            EXPECT_LE(parts[i].size(), 255u);
            joined += parts[i];
        }
        EXPECT_EQ(joined, key.record_value);
        EXPECT_EQ(parts.size(), key.algorithm == dkim_algorithm::rsa_sha256 ? 5u : 3u);
    }
}

TEST(keys, have_their_published_records_judged) {
    PROVES("A38", "6376-3.6.1-s", "6376-3.6.1-t", "6376-3.6.1-p");
    const auto& key = ring().entries[0];
    const auto& ed = ring().entries[1];
    const auto p = key.record_value.substr(key.record_value.find("p="));
    const auto said = [&](const mail::dkim_key_answer& published) {
        return base::join(judge_published(key, published), "; ");
    };
    EXPECT_EQ(said(answer({"v=DKIM1; k=rsa; " + p})), "") << "no s= is every service";
    EXPECT_EQ(said(answer({"k=rsa; s=*; " + p})), "");
    EXPECT_EQ(said(answer({"v=DKIM1; k=rsa; " + p, "google-site-verification=x"})), "");
    const auto der = *base::unbase64(p.substr(2)); // the bare key of PKCS#1 lies at the end of the other form
    EXPECT_EQ(said(answer({"v=DKIM1; k=rsa; p=" + base::base64(std::string_view(der).substr(24))})), "");
    EXPECT_THAT(said({status::absent, {}, 0}), HasSubstr("there is no key at mt-rsa._domainkey.example.net"));
    EXPECT_THAT(said({status::unavailable, {}, 0}), HasSubstr("no answer"));
    EXPECT_THAT(said(answer({"v=spf1 -all"})), HasSubstr("there is no key"));
    EXPECT_THAT(said(answer({ed.record_value})), HasSubstr("another key"));
    EXPECT_THAT(said(answer({"v=DKIM1; k=rsa; p=" + tests::key_base64(tests::rsa_pem())})),
                HasSubstr("another key"));
    EXPECT_THAT(said(answer({"v=DKIM1; k=rsa; p="})), HasSubstr("revoked"));
    EXPECT_THAT(said(answer({"v=DKIM1; k=rsa; s=tlsrpt; " + p})), HasSubstr("without email"));
    EXPECT_THAT(said(answer({"v=DKIM1; k=rsa; s=email; " + p})), HasSubstr("without tlsrpt"));
    EXPECT_THAT(said(answer({"v=DKIM1; k=rsa; t=y:s; " + p})), HasSubstr("t=y"));
    EXPECT_THAT(said(answer({"v=DKIM1; k=rsa; h=sha1; " + p})), HasSubstr("sha256"));
    EXPECT_THAT(said(answer({key.record_value, key.record_value})), HasSubstr("2 keys"));
}

} // namespace
} // namespace mailtight::deliver
