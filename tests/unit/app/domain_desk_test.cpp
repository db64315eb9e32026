// SPDX-License-Identifier: Apache-2.0
// The desk of domains looked after over a real store, in a world where no name server answers: what is kept,
// who may see it, who was faster, and what cannot be wanted.
#include "app/daemon_core.h"
#include "app/domain_desk.h"
#include "app/policy_time.h"
#include "store/access.h"
#include "store/domains.h"
#include "support/scratch.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mailtight::app {
namespace {

using namespace std::chrono_literals;
using api::refusal;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class domain_desk_test : public testing::Test {
protected:
    domain_desk_test() {
        core_.set.store_where = folder_ / "store.db";
        core_.set.dns_servers = {"127.0.0.1:1"};
        core_.set.dns_timeout = 100ms;
        core_.set.dns_hook = {"/bin/false"};
        core_.with = std::move(*world::make(core_.set, {}));
        // The daemon's keeper has opened the store of reports before.
        EXPECT_TRUE(store::open({.where = core_.set.store_where}));
        desk_ = std::move(*make_domain_desk(core_));
    }
    ~domain_desk_test() override { desk_.reset(); }

    template<class T>
    T run(io::task<T> job) {
        return core_.with->loop.block_on(std::move(job));
    }
    static api::caller everybody() { return {.name = "ann", .role = api::role::operates}; }
    static api::caller tenant(std::string owner) {
        return {.name = "token " + owner, .role = api::role::operates, .tenant = owner};
    }
    api::domain_file add(const std::string& domain, const api::caller& by, api::wish_change wish = {}) {
        auto made = run(desk_->add({.domain = domain, .like = "", .wish = std::move(wish)}, by));
        EXPECT_TRUE(made) << (made ? "" : made.error().words);
        return made.value_or(api::domain_file{});
    }
    /// The operator lets them add this.
    void allow(const std::string& owner, const std::vector<std::string>& these) {
        EXPECT_TRUE(
            store::open_access({.where = core_.set.store_where}).value()->allow_names(owner, these, {}));
    }
    template<class T>
    static std::string refused(const api::told<T>& said, refusal::kind kind) {
        EXPECT_FALSE(said);
        if (said)
            return "";
        EXPECT_EQ(said.error().what, kind) << said.error().words;
        return said.error().words;
    }
    std::vector<std::string> names(const api::overview_question& which = {}) {
        const auto page = run(desk_->overview(which));
        EXPECT_TRUE(page) << page.error().words;
        std::vector<std::string> out;
        for (const auto& row : page->rows)
            out.push_back(row->domain);
        return out;
    }
    /// The table is at most two seconds behind.
    void wait_for_table() {
        run([](io::loop& on) -> io::task<int> {
            co_await on.sleep_for(2'100ms);
            co_return 0;
        }(core_.with->loop));
    }
    std::unique_ptr<store::domain_store> store() {
        return store::open_domains({.where = core_.set.store_where}).value();
    }

    tests::scratch_folder folder_;
    daemon_core core_;
    std::unique_ptr<api::domain_desk> desk_;
};

TEST_F(domain_desk_test, a_domain_is_added_changed_shown_and_given_up) {
    const auto added =
        add("Example.COM", everybody(),
            {.max_age = std::optional<std::uint64_t>(86'400), .labels = {{"b", "a"}}, .why = "new"});
    EXPECT_EQ(added.wish.domain, "example.com");
    EXPECT_EQ(added.wish.revision, 1);
    EXPECT_EQ(added.wish.max_age, 86'400u);
    EXPECT_THAT(added.wish.labels, ElementsAre("a", "b"));
    EXPECT_EQ(added.row->verdict, "unseen");
    EXPECT_THAT(refused(run(desk_->add({.domain = "example.com"}, everybody())), refusal::kind::conflict),
                HasSubstr("looked after already"));

    api::wish_change change;
    change.aim = "enforce";
    change.max_age = std::optional<std::uint64_t>();
    change.mx = {{"mx1.example.com", "*.example.net"}};
    change.labels = std::vector<std::string>{};
    change.why = "reports are clean";
    const auto changed = run(desk_->change("example.com", 1, change, everybody()));
    ASSERT_TRUE(changed) << changed.error().words;
    EXPECT_EQ(changed->wish.revision, 2);
    EXPECT_EQ(changed->wish.aim, model::aim::enforce);
    EXPECT_FALSE(changed->wish.max_age);
    EXPECT_THAT(changed->wish.labels, IsEmpty());
    const auto same = run(desk_->change("example.com", 2, change, everybody()));
    ASSERT_TRUE(same);
    EXPECT_EQ(same->wish.revision, 2) << "what is so already is no change";
    change.mx = std::vector<std::string>{};
    EXPECT_THAT(run(desk_->change("example.com", 2, change, everybody()))->wish.mx, IsEmpty()) << "as in DNS";

    const auto past = run(desk_->past("example.com", 0, 100, everybody()));
    ASSERT_TRUE(past);
    EXPECT_THAT(past->changes, testing::Contains(testing::AllOf(
                                   testing::Field(&model::change_entry::who, "ann"),
                                   testing::Field(&model::change_entry::why, "reports are clean"))));
    EXPECT_TRUE(store()->work("plan", "example.com").value()) << "its work is due";

    EXPECT_TRUE(run(desk_->remove("example.com", false, "", everybody())));
    refused(run(desk_->find("example.com", everybody())), refusal::kind::absent);
    refused(run(desk_->remove("example.com", false, "", everybody())), refusal::kind::absent);
}

TEST_F(domain_desk_test, who_saw_an_older_revision_is_told) {
    add("example.com", everybody());
    api::wish_change change;
    change.aim = "enforce";
    ASSERT_TRUE(run(desk_->change("example.com", 1, change, everybody())));
    change.aim = "testing";
    EXPECT_THAT(refused(run(desk_->change("example.com", 1, change, everybody())), refusal::kind::conflict),
                HasSubstr("revision 2"));
    EXPECT_EQ(run(desk_->find("example.com", everybody()))->wish.aim, model::aim::enforce);
}

TEST_F(domain_desk_test, a_tenant_sees_and_changes_their_own_alone) {
    add("ours.example", everybody());
    add("bob.example", everybody(), {.owner = "bob"});
    allow("ann", {"ann.example"});
    EXPECT_EQ(add("ann.example", tenant("ann")).wish.owner, "ann") << "new ones are theirs";
    const auto ann = tenant("ann");
    for (const char* domain : {"ours.example", "bob.example", "nobodys.example"}) {
        refused(run(desk_->find(domain, ann)), refusal::kind::absent);
        refused(run(desk_->change(domain, 1, {.aim = "off"}, ann)), refusal::kind::absent);
        refused(run(desk_->remove(domain, true, "mine", ann)), refusal::kind::absent);
        refused(run(desk_->plan(domain, {}, ann)), refusal::kind::absent);
        refused(run(desk_->step(domain, {.act = true}, ann)), refusal::kind::absent);
        refused(run(desk_->records(domain, {}, ann)), refusal::kind::absent);
        refused(run(desk_->past(domain, 0, 10, ann)), refusal::kind::absent);
        refused(run(desk_->readiness(domain, ann)), refusal::kind::absent);
        refused(run(desk_->add({.domain = "x.example", .like = domain}, ann)), refusal::kind::wrong);
    }
    EXPECT_TRUE(run(desk_->find("ann.example", ann)));
    // Nobody gives a domain away, or takes one, but who sees all.
    refused(run(desk_->change("ann.example", 1, {.owner = "bob"}, ann)), refusal::kind::forbidden);
    refused(run(desk_->add({.domain = "x.example", .wish = {.owner = "bob"}}, ann)),
            refusal::kind::forbidden);
    EXPECT_EQ(run(desk_->change("ann.example", 1, {.aim = "enforce", .owner = "ann"}, ann))->wish.owner,
              "ann");
    const auto taken = run(desk_->add({.domain = "bob.example"}, ann));
    const auto free = run(desk_->add({.domain = "sob.example"}, ann));
    auto as_if_free = refused(taken, refusal::kind::unproven);
    for (auto at = as_if_free.find("bob."); at != as_if_free.npos; at = as_if_free.find("bob."))
        as_if_free[at] = 's';
    EXPECT_EQ(as_if_free, refused(free, refusal::kind::unproven)) << "not even that somebody has it";
    EXPECT_EQ(run(desk_->change("ann.example", 2, {.owner = ""}, everybody()))->wish.owner, "");
    wait_for_table();
    EXPECT_THAT(names(), ElementsAre("ann.example", "bob.example", "ours.example"));
    EXPECT_THAT(names({.owner = "bob"}), ElementsAre("bob.example"));
}

TEST_F(domain_desk_test, a_domain_whose_reports_are_kept_here_is_given_to_a_tenant_and_never_taken_by_one) {
    core_.domains = {{.name = "ours.example", .token = "t", .added_at = {}}}; // [reports] domains names it
    const auto ann = tenant("ann");
    refused(run(desk_->add({.domain = "Ours.example"}, ann)), refusal::kind::unproven);
    allow("ann", {"*.example.org"});
    core_.domains.push_back({.name = "a.example.org", .token = "u", .added_at = {}});
    EXPECT_THAT(refused(run(desk_->add({.domain = "a.example.org"}, ann)), refusal::kind::forbidden),
                HasSubstr("this very name"))
        << "a wildcard gives no reports away";
    refused(run(desk_->find("ours.example", everybody())), refusal::kind::absent);
    EXPECT_EQ(add("ours.example", everybody(), {.owner = "ann"}).wish.owner, "ann");
    EXPECT_TRUE(run(desk_->find("ours.example", ann)));
}

TEST_F(domain_desk_test, a_tenant_changes_no_zone_with_the_keys_of_the_installation) {
    const auto ann = tenant("ann");
    allow("ann", {"ann.example", "other.example"});
    refused(run(desk_->add({.domain = "ann.example", .wish = {.dns = "hook"}}, ann)),
            refusal::kind::forbidden);
    EXPECT_EQ(add("ann.example", ann).wish.dns, model::dns_way::by_hand);
    refused(run(desk_->change("ann.example", 1, {.dns = "hook"}, ann)), refusal::kind::forbidden);
    EXPECT_EQ(run(desk_->change("ann.example", 1, {.dns = "hook"}, everybody()))->wish.dns,
              model::dns_way::hook);
    EXPECT_EQ(run(desk_->change("ann.example", 2, {.aim = "enforce"}, ann))->wish.dns, model::dns_way::hook)
        << "what the operator said stays";
    EXPECT_EQ(run(desk_->add({.domain = "other.example", .like = "ann.example", .wish = {}}, ann))->wish.dns,
              model::dns_way::by_hand)
        << "it holds for that domain alone";
}

TEST_F(domain_desk_test, what_cannot_be_wanted_is_told_with_its_place) {
    add("example.com", everybody());
    struct bad {
        api::wish_change wish;
        const char* says;
    };
    for (const auto& each : std::vector<bad>{
             {{.aim = "protect"}, "aim 'protect': it takes testing, enforce or off"},
             {{.aim = ""}, "aim '': it takes"},
             {{.off = "now"}, "off 'now': it takes none or expiry"},
             {{.max_age = std::optional<std::uint64_t>(0)}, "max_age '0': it takes seconds"},
             {{.mx = {{"not a host"}}}, "mx 'not a host': it takes a host"},
             {{.mx_adding = {{"192.0.2.1"}}}, "mx_adding '192.0.2.1': it takes the name of a mail server"},
             {{.rua = {{"ftp://x"}}}, "rua 'ftp://x'"},
             {{.host = "cloud"}, "host 'cloud': it takes here, proxied, elsewhere or delegated"},
             {{.policy_host = "x"}, "policy_host 'x': it takes a host name"},
             {{.dns = "update"}, "dns update: dns-update.servers of the configuration names no server"},
             {{.dns = "hand", .dns_server = "ns1"}, "dns_server: it goes with dns update alone"},
             {{.leave = "some"}, "leave 'some': it takes nothing, records or all"},
             {{.labels = {{"two words"}}}, "labels 'two words'"},
             {{.labels = {{"-x"}}}, "labels begins with '-'"},
             {{.owner = "a\nb"}, "owner"}}) {
        EXPECT_THAT(
            refused(run(desk_->change("example.com", 1, each.wish, everybody())), refusal::kind::wrong),
            HasSubstr(each.says));
        EXPECT_THAT(refused(run(desk_->add({.domain = "new.example", .wish = each.wish}, everybody())),
                            refusal::kind::wrong),
                    HasSubstr(each.says));
    }
    EXPECT_EQ(run(desk_->find("example.com", everybody()))->wish.revision, 1);
    EXPECT_THAT(refused(run(desk_->add({.domain = "no domain"}, everybody())), refusal::kind::wrong),
                HasSubstr("domain 'no domain'"));
    EXPECT_THAT(refused(run(desk_->add({.domain = "x.example", .like = "y.example"}, everybody())),
                        refusal::kind::wrong),
                HasSubstr("like 'y.example'"));
}

TEST_F(domain_desk_test, a_domain_like_another_takes_its_wishes) {
    add("old.example", everybody(), {.aim = "enforce", .leave = "all", .labels = {{"gold"}}});
    const auto made = run(desk_->add(
        {.domain = "new.example", .like = "old.example", .wish = {.leave = "nothing"}}, everybody()));
    ASSERT_TRUE(made) << made.error().words;
    EXPECT_EQ(made->wish.aim, model::aim::enforce);
    EXPECT_EQ(made->wish.leave, model::leave::nothing);
    EXPECT_THAT(made->wish.labels, ElementsAre("gold"));
    EXPECT_EQ(made->wish.like, "old.example");
}

TEST_F(domain_desk_test, a_domain_whose_policy_senders_hold_stays) {
    add("example.com", everybody());
    const auto now = policy_time().now();
    ASSERT_TRUE(store()->seen_served(
        "example.com", "version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\nmax_age: 604800\r\n", "1",
        false, now));
    EXPECT_THAT(refused(run(desk_->remove("example.com", false, "", everybody())), refusal::kind::conflict),
                HasSubstr("senders may hold its policy"));
    EXPECT_THAT(refused(run(desk_->remove("example.com", true, " ", everybody())), refusal::kind::wrong),
                HasSubstr("reason"));
    EXPECT_TRUE(run(desk_->remove("example.com", true, "the domain was sold", everybody())));
    EXPECT_EQ(store()->changes("example.com", 0, 1).value().at(0).why, "the domain was sold");
}

TEST_F(domain_desk_test, a_plan_is_made_although_nothing_can_be_seen) {
    add("example.com", everybody());
    const auto made = run(desk_->plan("example.com", {}, everybody()));
    ASSERT_TRUE(made) << made.error().words;
    EXPECT_FALSE(made->finished);
    ASSERT_TRUE(made->next());
    wait_for_table();
    const auto page = run(desk_->overview({}));
    ASSERT_TRUE(page->rows.at(0)->next) << "the table knows what is next";
    EXPECT_EQ(page->rows.at(0)->next->title, made->next()->title);
    EXPECT_EQ(page->rows.at(0)->verdict, "unseen") << "a look that saw nothing is none";
    const auto tried = run(desk_->plan("example.com", {.to = "off"}, everybody()));
    ASSERT_TRUE(tried);
    EXPECT_NE(tried->to, made->to);
    EXPECT_EQ(run(desk_->find("example.com", everybody()))->wish.aim, model::aim::testing) << "not kept";
    EXPECT_THAT(refused(run(desk_->plan("example.com", {.to = "mars"}, everybody())), refusal::kind::wrong),
                HasSubstr("to takes testing"));
}

/// A name server that answers nothing and counts what it is asked.
class silent_server {
public:
    silent_server() {
        sockaddr_in at{
            .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
        socklen_t size = sizeof at;
        auto* const plain = reinterpret_cast<sockaddr*>(&at);
        EXPECT_EQ(bind(socket_, plain, size), 0);
        EXPECT_EQ(getsockname(socket_, plain, &size), 0);
        port_ = ntohs(at.sin_port);
    }
    ~silent_server() { close(socket_); }
    silent_server(const silent_server&) = delete;
    silent_server& operator=(const silent_server&) = delete;

    std::string address() const { return fmt::format("127.0.0.1:{}", port_); }
    /// Since the last time.
    int asked() const {
        int count = 0;
        for (std::array<char, 512> any; recv(socket_, any.data(), any.size(), MSG_DONTWAIT) >= 0;)
            ++count;
        return count;
    }

private:
    int socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    std::uint16_t port_ = 0;
};

TEST_F(domain_desk_test, a_plan_is_of_the_last_look_until_a_step_was_done) {
    const silent_server server;
    desk_.reset();
    core_.set.dns_servers = {server.address()};
    core_.with = std::move(*world::make(core_.set, {}));
    desk_ = std::move(*make_domain_desk(core_));
    add("example.com", everybody());
    run([](io::loop& on) -> io::task<int> { // what was changed in the second of a look may have come after it
        co_await on.sleep_for(1'100ms);
        co_return 0;
    }(core_.with->loop));
    ASSERT_TRUE(run(desk_->plan("example.com", {}, everybody())));
    EXPECT_GT(server.asked(), 0);
    ASSERT_TRUE(run(desk_->plan("example.com", {}, everybody())));
    EXPECT_EQ(server.asked(), 0) << "seen a moment ago";
    ASSERT_TRUE(store()->log_change({.at = policy_time().now(),
                                     .domain = "example.com",
                                     .who = "vm",
                                     .what = "published-record",
                                     .to = "1",
                                     .why = ""}));
    ASSERT_TRUE(run(desk_->plan("example.com", {}, everybody())));
    EXPECT_GT(server.asked(), 0) << "what was seen before the step is no longer so";
}

TEST_F(domain_desk_test, what_was_said_stays_as_a_mark) {
    add("example.com", everybody());
    EXPECT_THAT(
        refused(run(desk_->step("example.com", {.said = "all-well"}, everybody())), refusal::kind::wrong),
        HasSubstr("said 'all-well'"));
    ASSERT_TRUE(run(desk_->step("example.com", {.said = "report-way", .why = "I read them"}, everybody())));
    auto wish = run(desk_->find("example.com", everybody()))->wish;
    EXPECT_EQ(wish.marks.at("report-way").by, "ann");
    EXPECT_EQ(wish.marks.at("report-way").text, "I read them");
    refused(run(desk_->step("example.com", {.force = "  "}, everybody())), refusal::kind::wrong);
    ASSERT_TRUE(run(desk_->step("example.com", {.force = "reports are read elsewhere"}, everybody())));
    wish = run(desk_->find("example.com", everybody()))->wish;
    EXPECT_EQ(wish.aim, model::aim::enforce);
    EXPECT_EQ(wish.marks.at("forced").text, "reports are read elsewhere");
}

TEST_F(domain_desk_test, records_need_a_name_server_and_a_known_provider) {
    add("example.com", everybody());
    EXPECT_THAT(refused(run(desk_->records("example.com", {.provider = "Nobody"}, everybody())),
                        refusal::kind::wrong),
                HasSubstr("provider 'Nobody'"));
    EXPECT_THAT(refused(run(desk_->records("example.com", {}, everybody())), refusal::kind::away),
                HasSubstr("DNS gives no answer"));
}

TEST_F(domain_desk_test, readiness_is_answered_without_reports) {
    add("example.com", everybody());
    const auto said = run(desk_->readiness("example.com", everybody()));
    ASSERT_TRUE(said);
    EXPECT_FALSE(said->ready.value_or(false));
    EXPECT_FALSE(said->sentence.empty());
}

TEST_F(domain_desk_test, the_table_is_two_seconds_behind_at_most) {
    EXPECT_THAT(names(), IsEmpty());
    add("a.example", everybody());
    wait_for_table();
    EXPECT_THAT(names(), ElementsAre("a.example"));
    const auto csv = run(desk_->overview_table({}));
    ASSERT_TRUE(csv);
    EXPECT_THAT(*csv, HasSubstr("\r\na.example,"));
}

} // namespace
} // namespace mailtight::app
