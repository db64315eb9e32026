// SPDX-License-Identifier: Apache-2.0
// The routes of domains looked after over a desk that notes what it is asked: every answer is held against
// its schema, every refusal is a problem document, and who asks is handed on.
#include "advise/advise.h"
#include "advise/render.h"
#include "api/domain_desk.h"
#include "api/site.h"
#include "json_schema.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr base::utc_seconds today{std::chrono::seconds(1'800'000'000)};

struct standing_clock final : base::clock {
    base::utc_seconds now() const override { return today; }
};

class noting_desk final : public domain_desk {
public:
    std::optional<refusal> says; ///< instead of an answer
    std::string asked;           ///< the last question
    caller by;
    overview_question overview_asked;
    domain_addition added;
    wish_change wished;
    plan_question plan_asked;
    step_request step_asked;
    dns_question dns_asked;
    domain_file file;

    template<class T>
    told<T> answer(std::string question, T value) {
        asked = std::move(question);
        if (says)
            return std::unexpected(*says);
        return value;
    }
    io::task<told<overview_page>> overview(overview_question which) override {
        overview_asked = which;
        overview_page page;
        page.rows.push_back(file.row);
        page.total = 1;
        page.counts = {1, 0, 1, 0, 0, 0, 0};
        co_return answer("overview", page);
    }
    io::task<told<std::string>> overview_table(overview_question which) override {
        overview_asked = which;
        co_return answer("table", std::string("domain\r\n"));
    }
    io::task<told<std::map<std::string, std::size_t>>> labels(std::optional<std::string> owner) override {
        co_return answer("labels " + owner.value_or("of all"),
                         std::map<std::string, std::size_t>{{"gold", 2}, {"new", 1}});
    }
    io::task<told<domain_file>> find(std::string domain, caller who) override {
        by = who;
        co_return answer("find " + domain, file);
    }
    io::task<told<domain_file>> add(domain_addition what, caller who) override {
        by = who;
        added = what;
        co_return answer("add " + what.domain, file);
    }
    io::task<told<domain_file>> change(std::string domain, std::int64_t revision, wish_change what,
                                       caller who) override {
        by = who;
        wished = what;
        co_return answer("change " + domain + " " + std::to_string(revision), file);
    }
    io::task<told<void>> remove(std::string domain, bool force, std::string why, caller who) override {
        by = who;
        asked = "remove " + domain + (force ? " by force: " : ": ") + why;
        if (says)
            co_return std::unexpected(*says);
        co_return told<void>{};
    }
    io::task<told<plan::plan>> plan(std::string domain, plan_question which, caller who) override {
        by = who;
        plan_asked = which;
        co_return answer("plan " + domain, some_plan());
    }
    io::task<told<step_outcome>> step(std::string domain, step_request what, caller who) override {
        by = who;
        step_asked = what;
        co_return answer("step " + domain,
                         step_outcome{.did = "published a record", .failed = "", .next = some_plan()});
    }
    io::task<told<dns_answer>> records(std::string domain, dns_question which, caller who) override {
        by = who;
        dns_asked = which;
        dns_answer out;
        out.text = "_mta-sts TXT\n";
        out.place.zone = "example.com";
        out.place.provider = &advise::dns_providers().front();
        out.records.needs = {"YOUR-POLICY-HOST"};
        out.records.records.push_back({.step = 4,
                                       .name = "_mta-sts.example.com",
                                       .type = "TXT",
                                       .value = "v=STSv1; id=1;",
                                       .ttl = 300,
                                       .already_right = true,
                                       .replaces = {},
                                       .why = "it announces the policy"});
        co_return answer("records " + domain, out);
    }
    io::task<told<domain_past>> past(std::string domain, std::int64_t before, std::size_t limit,
                                     caller who) override {
        by = who;
        domain_past out;
        out.served.push_back({.domain = domain,
                              .body = "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n",
                              .mode = sts::mode::none,
                              .max_age = 86'400,
                              .ids = {"1", "2", "1"},
                              .first_served = today - std::chrono::hours(48),
                              .last_served = today - std::chrono::hours(24)});
        out.changes.push_back({.number = 7,
                               .at = today,
                               .domain = domain,
                               .who = "ann",
                               .what = "set mode",
                               .from = "testing",
                               .to = "enforce",
                               .why = "it is time\x01"});
        const std::chrono::sys_days day = std::chrono::floor<std::chrono::days>(today);
        for (int i = 0; i < 2; ++i)
            out.fetches.push_back({.domain = domain,
                                   .day = day - std::chrono::days(i),
                                   .network = "192.0.2.0/24",
                                   .agent = "mta/1",
                                   .id = "2",
                                   .count = 3,
                                   .last = today - std::chrono::hours(i)});
        out.states.push_back({.domain = domain,
                              .first = today,
                              .last = today,
                              .verdict = "broken",
                              .record_id = "2",
                              .policy_sha256 = "",
                              .policy = "",
                              .mx = {"mx1.example.com"},
                              .findings = {"mx.no-starttls mx1.example.com"}});
        co_return answer("past " + domain + " " + std::to_string(before) + " " + std::to_string(limit), out);
    }
    io::task<told<model::enforce_evidence>> readiness(std::string domain, caller who) override {
        by = who;
        model::enforce_evidence out{.ready = {}, .reasons = {}, .sentence = "Not to be said yet."};
        out.reasons.push_back({.met = true, .known = true, .code = "sessions", .text = "enough"});
        co_return answer("readiness " + domain, out);
    }

    static plan::plan some_plan() {
        plan::plan out;
        out.domain = "example.com";
        out.from = "nothing";
        out.to = "testing";
        out.warnings = {"careful"};
        out.come_back = today;
        plan::step one;
        one.kind = plan::step_kind::publish_record;
        one.state = plan::step_state::now;
        one.title = "Publish";
        one.not_before = today;
        one.records.push_back(
            {.name = "_mta-sts.example.com", .type = "TXT", .add = {"v=STSv1; id=1;"}, .remove = {}});
        one.last_try = plan::failed_try{.kind = "publish-record", .at = today, .why = "refused"};
        out.steps.push_back(one);
        return out;
    }
};

class domain_routes_test : public testing::Test {
protected:
    domain_routes_test()
        : context_(std::make_shared<context>(
              context{.loop = loop_, .clock = clock_, .domains = &desk_, .version = "1"})) {
        model::looked_after wish;
        wish.domain = "example.com";
        wish.revision = 3;
        wish.marks["report-way"] = {.at = today, .by = "ann", .text = "said so"};
        wish.marks["seen/mx"] = {.at = today, .by = "host", .text = "300"};
        model::shown seen;
        seen.domain = wish.domain;
        seen.looked_at = today;
        seen.verdict = "protected";
        seen.mode = "enforce";
        seen.parts = {"valid", "valid", "missing", "not-tested"};
        seen.changed = "from testing to protected";
        seen.changed_at = today;
        seen.next = model::next_step{
            .kind = "wait", .title = "Wait", .state = "waiting", .by = "us", .not_before = today};
        desk_.file.row = std::make_shared<const overview_row>(make_row(wish, &seen, {{1, 2}}));
        desk_.file.wish = std::move(wish);
        const model::observation nothing{.domain = "example.com"};
        auto look = advise::check_json(nothing, advise::judge(nothing));
        look["verdict"] = "protected";
        desk_.file.look = model::kept_look{.at = today, .document = boost::json::serialize(look)};
    }
    wire::http_reply ask(const std::string& method, const std::string& target, const std::string& body = {}) {
        site_options options;
        options.may_change = [](const io::peer&) { return true; };
        options.name_of = [](const io::peer&) { return std::string("ann"); };
        const auto site = make_site(context_, options);
        io::http_exchange asked;
        asked.request.method = method;
        asked.request.target = target;
        const auto mark = target.find('?');
        asked.request.path = target.substr(0, mark);
        asked.request.query = mark == std::string::npos ? "" : target.substr(mark + 1);
        if (auto refused = site.admit(asked))
            return *refused;
        asked.request.body = body;
        return loop_.block_on(site.handle(std::move(asked)));
    }
    boost::json::value good(const std::string& method, const std::string& target,
                            const std::string& body = {}) {
        const auto reply = ask(method, "/api/v1" + target, body);
        EXPECT_EQ(reply.status, 200) << method << " " << target << ": " << reply.body;
        const auto found = find_route(method, "/api/v1" + target.substr(0, target.find('?')));
        EXPECT_TRUE(found.at->tenants) << "each filters by who asks";
        EXPECT_EQ(found.at->changes, method != "GET");
        EXPECT_EQ(found.at->needs, method == "GET" ? role::viewer : role::operates);
        boost::system::error_code error;
        auto value = boost::json::parse(reply.body, error);
        EXPECT_FALSE(error) << reply.body;
        const tests::json_schema checker(boost::json::parse(openapi("1")).as_object());
        EXPECT_THAT(checker.complaints(value, std::string(found.at->answer)), IsEmpty())
            << method << " " << target << ": " << reply.body;
        return value;
    }
    std::string bad(int status, const std::string& method, const std::string& target,
                    const std::string& body = {}) {
        const auto reply = ask(method, "/api/v1" + target, body);
        EXPECT_EQ(reply.status, status) << method << " " << target << ": " << reply.body;
        EXPECT_EQ(reply.media_type, "application/problem+json");
        boost::system::error_code error;
        const auto value = boost::json::parse(reply.body, error);
        EXPECT_FALSE(error);
        return error ? "" : std::string(value.at("detail").as_string());
    }

    io::loop loop_;
    standing_clock clock_;
    noting_desk desk_;
    std::shared_ptr<context> context_;
};

TEST_F(domain_routes_test, the_table_with_every_filter) {
    const auto said =
        good("GET", "/overview?contains=exam&label=gold&state=attention&sort=failures&order=down&"
                    "offset=10&limit=5");
    EXPECT_EQ(said.at("rows").at(0).at("domain").as_string(), "example.com");
    EXPECT_EQ(said.at("counts").at("protected").as_int64(), 1);
    EXPECT_EQ(desk_.overview_asked.contains, "exam");
    EXPECT_EQ(desk_.overview_asked.label, "gold");
    EXPECT_EQ(desk_.overview_asked.state, overview_state::attention);
    EXPECT_EQ(desk_.overview_asked.offset, 10u);
    EXPECT_FALSE(desk_.overview_asked.owner);
    good("GET", "/overview");
    EXPECT_THAT(bad(400, "GET", "/overview?state=fine"), HasSubstr("state 'fine'"));
    EXPECT_THAT(bad(400, "GET", "/overview?sort=x"), HasSubstr("sort"));
    EXPECT_THAT(bad(400, "GET", "/overview?limit=0"), HasSubstr("limit"));
    EXPECT_THAT(bad(400, "GET", "/overview?colour=red"), HasSubstr("colour"));
    EXPECT_THAT(bad(400, "GET", "/overview.csv?limit=5"), HasSubstr("limit"));
    const auto csv = ask("GET", "/api/v1/overview.csv?state=absent");
    EXPECT_EQ(csv.status, 200);
    EXPECT_EQ(csv.media_type, "text/csv");
    EXPECT_EQ(desk_.overview_asked.state, overview_state::absent);
}

TEST_F(domain_routes_test, one_domain_with_what_was_seen) {
    const auto said = good("GET", "/domains/EXAMPLE.com.");
    EXPECT_EQ(desk_.asked, "find example.com");
    EXPECT_EQ(desk_.by.name, "ann");
    EXPECT_EQ(said.at("wish").at("revision").as_int64(), 3);
    EXPECT_TRUE(said.at("wish").at("marks").as_object().contains("report-way"));
    EXPECT_FALSE(said.at("wish").at("marks").as_object().contains("seen/mx"))
        << "what looks wrote down for the planner says nothing to a person";
    EXPECT_EQ(said.at("look").at("verdict").as_string(), "protected");
    EXPECT_EQ(said.at("looked_at").as_string(), base::format_utc(today));
    desk_.file.look.reset();
    EXPECT_TRUE(good("GET", "/domains/example.com").at("look").is_null());
    good("GET", "/domains/müller.example"); // as the server decodes it
    EXPECT_EQ(desk_.asked, "find xn--mller-kva.example");
    bad(404, "GET", "/domains/no%20name");
}

TEST_F(domain_routes_test, a_domain_is_added) {
    good("POST", "/domains",
         R"({"domain":"new.example","aim":"enforce","max_age":null,"mx":["mx.example"],"rua":[],"host":"here",
             "labels":["a"],"keep_mx":true,"paused":false,"owner":"bob","like":"old.example","why":"asked for"})");
    EXPECT_EQ(desk_.asked, "add new.example");
    EXPECT_EQ(desk_.added.like, "old.example");
    const auto& wish = desk_.added.wish;
    EXPECT_EQ(wish.aim, "enforce");
    ASSERT_TRUE(wish.max_age);
    EXPECT_FALSE(*wish.max_age) << "null: as the ladder goes";
    EXPECT_THAT(*wish.mx, ElementsAre("mx.example"));
    EXPECT_THAT(*wish.rua, IsEmpty());
    EXPECT_FALSE(wish.mx_adding);
    EXPECT_EQ(wish.keep_mx, true);
    EXPECT_EQ(wish.why, "asked for");
    struct row {
        const char *body, *says;
    };
    for (const row& each : {row{"", "no JSON object"}, row{"[]", "no JSON object"},
                            row{"{}", "domain: which one"}, row{R"({"domain":7})", "domain: it takes a text"},
                            row{R"({"domain":"a.example","mx":"mx"})", "mx: it takes a list"},
                            row{R"({"domain":"a.example","mx":[1]})", "mx: it takes a list of texts"},
                            row{R"({"domain":"a.example","max_age":"1"})", "max_age: it takes a number"},
                            row{R"({"domain":"a.example","max_age":-1})", "max_age: it takes a number"},
                            row{R"({"domain":"a.example","max_age":1.5})", "max_age: it takes a number"},
                            row{R"({"domain":"a.example","paused":"yes"})", "paused: it takes true or false"},
                            row{R"({"domain":"a.example","lables":[]})", "did you mean labels?"},
                            row{R"({"domain":"a.example","revision":1})", "no key 'revision'"},
                            row{"{\"domain\":\"a.example\",\"why\":[[[[[[[[[[]]]]]]]]]]}", "no JSON object"}})
        EXPECT_THAT(bad(422, "POST", "/domains", each.body), HasSubstr(each.says)) << each.body;
}

TEST_F(domain_routes_test, a_change_names_the_revision_that_it_saw) {
    good("PATCH", "/domains/example.com", R"({"revision":3,"aim":"enforce"})");
    EXPECT_EQ(desk_.asked, "change example.com 3");
    EXPECT_EQ(desk_.wished.aim, "enforce");
    EXPECT_FALSE(desk_.wished.host);
    EXPECT_THAT(bad(422, "PATCH", "/domains/example.com", R"({"aim":"enforce"})"), HasSubstr("revision"));
    EXPECT_THAT(bad(422, "PATCH", "/domains/example.com", R"({"revision":"3"})"), HasSubstr("revision"));
    EXPECT_THAT(bad(422, "PATCH", "/domains/example.com", R"({"revision":3,"domain":"b.example"})"),
                HasSubstr("no key 'domain'"));
}

TEST_F(domain_routes_test, a_domain_is_given_up) {
    good("DELETE", "/domains/example.com");
    EXPECT_EQ(desk_.asked, "remove example.com: ");
    good("DELETE", "/domains/example.com?force=1&why=sold");
    EXPECT_EQ(desk_.asked, "remove example.com by force: sold");
    bad(400, "DELETE", "/domains/example.com?force=perhaps");
}

TEST_F(domain_routes_test, plans_and_what_is_tried_on_them) {
    const auto said = good("GET", "/domains/example.com/plan");
    EXPECT_EQ(said.at("next").as_int64(), 1);
    EXPECT_FALSE(desk_.plan_asked.look);
    EXPECT_FALSE(desk_.plan_asked.tries());
    good("GET", "/domains/example.com/plan?look=1&to=off&by=expiry&add_mx=mx1.example,mx2.example&keep_mx=1");
    EXPECT_TRUE(desk_.plan_asked.look);
    EXPECT_EQ(desk_.plan_asked.to, "off");
    EXPECT_THAT(desk_.plan_asked.add_mx, ElementsAre("mx1.example", "mx2.example"));
    EXPECT_TRUE(desk_.plan_asked.keep_mx);
    EXPECT_TRUE(desk_.plan_asked.tries());
}

TEST_F(domain_routes_test, steps_are_done_or_said_to_be) {
    EXPECT_EQ(good("POST", "/domains/example.com/steps", R"({"do":true})").at("did").as_string(),
              "published a record");
    EXPECT_TRUE(desk_.step_asked.act);
    good("POST", "/domains/example.com/steps", R"({"said":"report-way","why":"it is read"})");
    EXPECT_EQ(desk_.step_asked.said, "report-way");
    EXPECT_EQ(desk_.step_asked.why, "it is read");
    good("POST", "/domains/example.com/steps", R"({"force":"read elsewhere"})");
    EXPECT_EQ(desk_.step_asked.force, "read elsewhere");
    for (const char* body : {"{}", R"({"do":false})", R"({"do":true,"said":"report-way"})",
                             R"({"said":"report-way","force":"x"})", R"({"do":1})", R"({"step":1})", "no"})
        bad(422, "POST", "/domains/example.com/steps", body);
}

TEST_F(domain_routes_test, records_in_the_form_that_is_wanted) {
    const auto said = good("GET", "/domains/example.com/records?format=bind&provider=Cloudflare&all=1");
    EXPECT_EQ(desk_.dns_asked.format, advise::dns_format::bind);
    EXPECT_EQ(desk_.dns_asked.provider, "Cloudflare");
    EXPECT_TRUE(desk_.dns_asked.all);
    EXPECT_EQ(said.at("format").as_string(), "bind");
    EXPECT_EQ(said.at("records").at(0).at("in_form").as_string(), "_mta-sts");
    EXPECT_EQ(said.at("provider").at("labels").at("value").as_string(), "Content");
    EXPECT_EQ(good("GET", "/domains/example.com/records").at("format").as_string(), "table");
    EXPECT_THAT(bad(400, "GET", "/domains/example.com/records?format=stone"), HasSubstr("stone"));
}

TEST_F(domain_routes_test, history_and_readiness) {
    const auto said = good("GET", "/domains/example.com/history?before=9&limit=50");
    EXPECT_EQ(desk_.asked, "past example.com 9 50");
    EXPECT_EQ(said.at("served").at(0).at("ids").as_array().size(), 2u) << "each id once";
    EXPECT_THAT(std::string(said.at("served").at(0).at("body").as_string()), HasSubstr("mode: none\r\n"));
    EXPECT_EQ(said.at("served").at(0).at("binds_until").as_string(), base::format_utc(today));
    EXPECT_EQ(said.at("fetches").as_array().size(), 1u) << "of one network and id";
    EXPECT_EQ(said.at("fetches").at(0).at("count").as_int64(), 6);
    EXPECT_EQ(said.at("changes").at(0).at("why").as_string(), "it is time\\x01");
    bad(400, "GET", "/domains/example.com/history?limit=0");
    bad(400, "GET", "/domains/example.com/history?limit=1001");
    EXPECT_TRUE(good("GET", "/domains/example.com/readiness").at("ready").is_null());
}

TEST_F(domain_routes_test, each_refusal_has_its_status) {
    using enum refusal::kind;
    const std::vector<std::pair<refusal::kind, int>> all = {{absent, 404},    {conflict, 409}, {wrong, 422},
                                                            {forbidden, 403}, {busy, 503},     {away, 503}};
    for (const auto& [kind, status] : all) {
        desk_.says = refusal{.what = kind, .words = "because"};
        for (const auto& [method, target, body] :
             {std::tuple("GET", "/overview", ""), std::tuple("GET", "/overview.csv", ""),
              std::tuple("GET", "/domains/example.com", ""),
              std::tuple("POST", "/domains", R"({"domain":"a.example"})"),
              std::tuple("PATCH", "/domains/example.com", R"({"revision":1})"),
              std::tuple("DELETE", "/domains/example.com", ""),
              std::tuple("GET", "/domains/example.com/plan", ""),
              std::tuple("POST", "/domains/example.com/steps", R"({"do":true})"),
              std::tuple("GET", "/domains/example.com/records", ""),
              std::tuple("GET", "/domains/example.com/history", ""),
              std::tuple("GET", "/domains/example.com/readiness", "")}) {
            const auto says = bad(status, method, target, body);
            EXPECT_EQ(says, kind == absent ? "no such domain is looked after" : "because");
        }
    }
    desk_.says = refusal{.what = away, .words = "because"};
    EXPECT_THAT(ask("GET", "/api/v1/overview").fields,
                testing::Contains(std::pair<std::string, std::string>("Retry-After", "10")));
}

TEST_F(domain_routes_test, labels_are_counted) {
    const auto said = good("GET", "/labels");
    EXPECT_EQ(boost::json::serialize(said),
              R"({"labels":[{"label":"gold","domains":2},{"label":"new","domains":1}]})");
    EXPECT_EQ(desk_.asked, "labels of all");
}

TEST_F(domain_routes_test, a_name_that_is_not_proven_comes_with_the_record_to_publish) {
    desk_.says =
        refusal{.what = refusal::kind::unproven,
                .words = "not known to be yours",
                .record = refusal::dns_record{"_mailtight.example.com", "TXT", "mailtight-owner=abc"}};
    const auto reply = ask("POST", "/api/v1/domains", R"({"domain":"example.com"})");
    EXPECT_EQ(reply.status, 422);
    EXPECT_EQ(reply.media_type, "application/problem+json");
    const auto said = boost::json::parse(reply.body);
    EXPECT_EQ(boost::json::serialize(said.at("record")),
              R"({"name":"_mailtight.example.com","type":"TXT","value":"mailtight-owner=abc"})");
    EXPECT_EQ(said.at("detail").as_string(), "not known to be yours");
    const tests::json_schema checker(boost::json::parse(openapi("1")).as_object());
    EXPECT_THAT(checker.complaints(said, "problem"), IsEmpty());
}

TEST_F(domain_routes_test, without_a_store_nothing_is_here) {
    context_->domains = nullptr;
    EXPECT_THAT(bad(404, "GET", "/overview"), HasSubstr("[store]"));
}

} // namespace
} // namespace mailtight::api
