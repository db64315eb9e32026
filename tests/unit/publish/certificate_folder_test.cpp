// SPDX-License-Identifier: Apache-2.0
#include "publish/certificate_folder.h"

#include "support/certificates.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include <sys/stat.h>

namespace mailtight::publish {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Folder : public testing::Test {
protected:
    void write(const std::string& name, const std::string& text) {
        const auto path = scratch_.path() / name;
        fs::create_directories(path.parent_path());
        // As these programs do it: a new file in the place of the old one.
        std::ofstream(path.string() + ".new") << text;
        fs::rename(path.string() + ".new", path);
    }
    tests::identity leaf(const std::string& host) { return tests::make_leaf(root_, {host}); }
    std::string chain(const tests::identity& of) { return of.pem() + root_.pem(); }

    tests::scratch_folder scratch_;
    tests::identity root_ = tests::make_root();
    certificate_folder folder_{scratch_.path()};
};

TEST_F(Folder, FindsWhatBelongsTogetherInEachConvention) {
    const auto one = leaf("mta-sts.one.example"), two = leaf("mta-sts.two.example"),
               three = leaf("mta-sts.three.example"), four = leaf("mta-sts.four.example");
    write("live/one/fullchain.pem", chain(one)); // certbot
    write("live/one/cert.pem", one.pem());
    write("live/one/chain.pem", root_.pem());
    write("live/one/privkey.pem", one.key_pem());
    write("archive/one/fullchain1.pem", chain(one));
    write("two.crt", chain(two)); // lego
    write("two.issuer.crt", root_.pem());
    write("two.key", two.key_pem());
    write("two.json", "{}");
    write("three_ecc/fullchain.cer", chain(three)); // acme.sh
    write("three_ecc/ca.cer", root_.pem());
    write("three_ecc/three.key", three.key_pem());
    write("four.pem", four.key_pem() + chain(four)); // both in one
    const auto seen = folder_.look();
    std::map<std::string, certificate_folder::pair> by_name;
    for (const auto& pair : seen.fresh)
        for (const auto& name : pair.names)
            by_name[name] = pair;
    EXPECT_THAT(by_name, SizeIs(4));
    EXPECT_EQ(by_name["mta-sts.one.example"].key, one.key_pem());
    EXPECT_EQ(by_name["mta-sts.two.example"].chain, chain(two));
    EXPECT_EQ(by_name["mta-sts.three.example"].key, three.key_pem());
    EXPECT_TRUE(by_name.contains("mta-sts.four.example"));
    EXPECT_THAT(seen.trouble, IsEmpty());
    EXPECT_THAT(folder_.look().trouble, IsEmpty()) << "nothing of theirs was taken for a pair by mistake";
}

TEST_F(Folder, SaysOnlyWhatChanged) {
    const auto one = leaf("mta-sts.one.example"), next = leaf("mta-sts.one.example");
    write("one.crt", chain(one));
    write("one.key", one.key_pem());
    EXPECT_THAT(folder_.look().fresh, SizeIs(1));
    EXPECT_THAT(folder_.look().fresh, IsEmpty());
    write("one.crt", chain(next));
    write("one.key", next.key_pem());
    const auto seen = folder_.look();
    ASSERT_THAT(seen.fresh, SizeIs(1));
    EXPECT_EQ(seen.fresh[0].chain, chain(next));
    EXPECT_THAT(seen.gone, IsEmpty());
}

TEST_F(Folder, WhatIsNoFileOrHasNoEndIsNotRead) {
    const auto one = leaf("mta-sts.one.example");
    for (const char* name : {"zero", "pipe", "folder", "huge", "loop"})
        write(std::string(name) + "/fullchain.pem", chain(one));
    const auto at = [this](const char* name) { return scratch_.path() / name / "privkey.pem"; };
    fs::create_symlink("/dev/zero", at("zero"));
    ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
    fs::create_directory(at("folder"));
    std::ofstream(at("huge")) << "";
    fs::resize_file(at("huge"), 1ULL << 40);
    fs::create_symlink("privkey.pem", at("loop"));
    write("live/fullchain.pem", chain(one)); // beside them, one that is whole
    write("live/privkey.pem", one.key_pem());
    const auto seen = folder_.look();
    ASSERT_THAT(seen.fresh, SizeIs(1));
    EXPECT_EQ(seen.fresh[0].file, (scratch_.path() / "live/fullchain.pem").string());
    const auto trouble = folder_.look().trouble;
    EXPECT_THAT(trouble, SizeIs(5)) << "each is told of";
    for (const auto& words : trouble)
        EXPECT_EQ(words.find("PRIVATE"), words.npos) << "and nothing of a key";
}

TEST_F(Folder, AHalfWrittenPairKeepsTheOldOne) {
    const auto one = leaf("mta-sts.one.example"), next = leaf("mta-sts.one.example");
    write("one.crt", chain(one));
    write("one.key", one.key_pem());
    folder_.look();
    write("one.crt", chain(next)); // the key is still the old one's
    const auto half = folder_.look();
    EXPECT_THAT(half.fresh, IsEmpty());
    EXPECT_THAT(half.gone, IsEmpty());
    EXPECT_THAT(half.trouble, IsEmpty()) << "that is how renewals look for a moment";
    write("one.key", next.key_pem());
    EXPECT_THAT(folder_.look().fresh, SizeIs(1));
}

TEST_F(Folder, APairThatStaysWrongIsToldOnce) {
    const auto one = leaf("mta-sts.one.example"), other = leaf("mta-sts.other.example");
    write("one.crt", chain(one));
    write("one.key", other.key_pem());
    EXPECT_THAT(folder_.look().trouble, IsEmpty());
    EXPECT_THAT(folder_.look().trouble, ElementsAre(HasSubstr("not the one of the certificate")));
    EXPECT_THAT(folder_.look().trouble, IsEmpty());
    write("one.crt", "no certificate");
    folder_.look();
    EXPECT_THAT(folder_.look().trouble, SizeIs(1)) << "it is another trouble now";
    write("one.crt", chain(one));
    write("one.key", one.key_pem());
    EXPECT_THAT(folder_.look().fresh, SizeIs(1));
}

TEST_F(Folder, AMissingKeyIsNoPairYet) {
    const auto one = leaf("mta-sts.one.example");
    write("one.crt", chain(one));
    EXPECT_THAT(folder_.look().fresh, IsEmpty());
    write("one.key", one.key_pem());
    EXPECT_THAT(folder_.look().fresh, SizeIs(1));
}

TEST_F(Folder, FollowsCertbotsLinks) {
    const auto one = leaf("mta-sts.one.example"), next = leaf("mta-sts.one.example");
    for (const auto& [number, what] : {std::pair{"1", &one}, std::pair{"2", &next}}) {
        write(std::string("archive/one/fullchain") + number + ".pem", chain(*what));
        write(std::string("archive/one/privkey") + number + ".pem", what->key_pem());
    }
    fs::create_directories(scratch_.path() / "live/one");
    const auto link = [&](const std::string& name, const std::string& number) {
        const auto at = scratch_.path() / "live/one" / (name + ".pem");
        fs::remove(at);
        fs::create_symlink("../../archive/one/" + name + number + ".pem", at);
    };
    link("fullchain", "1");
    link("privkey", "1");
    ASSERT_THAT(folder_.look().fresh, SizeIs(1));
    link("privkey", "2");
    EXPECT_THAT(folder_.look().fresh, IsEmpty());
    link("fullchain", "2");
    const auto seen = folder_.look();
    ASSERT_THAT(seen.fresh, SizeIs(1));
    EXPECT_EQ(seen.fresh[0].key, next.key_pem());
}

TEST_F(Folder, WhatIsRemovedIsGone) {
    const auto one = leaf("mta-sts.one.example");
    write("one.pem", one.key_pem() + chain(one));
    folder_.look();
    fs::remove(scratch_.path() / "one.pem");
    EXPECT_THAT(folder_.look().gone, ElementsAre(HasSubstr("one.pem")));
    EXPECT_THAT(folder_.look().gone, IsEmpty());
}

TEST_F(Folder, AFolderThatIsAwayTakesNothingAway) {
    const auto one = leaf("mta-sts.one.example");
    write("one.pem", one.key_pem() + chain(one));
    folder_.look();
    const auto aside = scratch_.path().string() + "-aside";
    fs::rename(scratch_.path(), aside);
    const auto seen = folder_.look();
    EXPECT_THAT(seen.gone, IsEmpty());
    EXPECT_THAT(seen.trouble, SizeIs(1));
    EXPECT_THAT(folder_.look().trouble, IsEmpty()) << "said once";
    fs::rename(aside, scratch_.path());
    EXPECT_THAT(folder_.look().fresh, IsEmpty()) << "the same as before";
}

} // namespace
} // namespace mailtight::publish
