// SPDX-License-Identifier: Apache-2.0
// The API over a real service in a made-up world: every answer is held against the schema that the OpenAPI
// document promises for it, and what changes something answers only to who may.
#include "api/documents.h"
#include "api/site.h"
#include "json_schema.h"
#include "resolve/exchange.h"
#include "support/dns_world.h"
#include "support/scratch.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::api {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr base::utc_seconds today{std::chrono::seconds(1'800'000'000)};

struct standing_clock final : base::clock {
    base::utc_seconds now() const override { return today; }
};

constexpr const char* policy_text =
    "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmax_age: 604800\r\n";

class api_site : public testing::Test {
protected:
    api_site()
        : dns_(&loop_)
        , keeper_(loop_, clock_, store::open_policies({.where = folder_ / "store.db"}).value(), {})
        , service_(loop_, dns_, clock_, fetcher(), {}, keeper_, {})
        , context_(std::make_shared<context>(
              context{.loop = loop_,
                      .clock = clock_,
                      .policies = &service_,
                      .replies = {},
                      .stored = [this](std::string after, std::size_t limit,
                                       std::string contains) { return page(after, limit, contains); },
                      .version = "1.2.3"})) {
        dns_.txt("_mta-sts.example.com", {"v=STSv1; id=1;"}, tests::unsigned_zone);
        dns_.mx("example.com", {{10, "mx1.example.com"}}, tests::unsigned_zone);
        dns_.addresses("mx1.example.com", {"192.0.2.1"}, tests::unsigned_zone);
        dns_.mx("plain.example", {{10, "mx.plain.example"}}, tests::unsigned_zone);
        dns_.addresses("mx.plain.example", {"192.0.2.2"}, tests::unsigned_zone);
        dns_.otherwise.security = model::dnssec::insecure;
        const auto begun = loop_.block_on(service_.start());
        EXPECT_TRUE(begun);
        may_change_ = true;
    }
    ~api_site() override { service_.stop(); }

    resolve::fetch_fn fetcher() {
        return [this](std::string domain) -> io::task<sts::policy_sighting> {
            ++fetches_;
            while (held_)
                co_await loop_.sleep_for(std::chrono::milliseconds(1));
            sts::policy_sighting seen;
            if (domain == "example.com") {
                seen.body = policy_text;
                seen.value = *sts::parse_policy(seen.body);
            } else {
                seen.detail = "nobody listens";
            }
            co_return seen;
        };
    }

    io::task<store::result<stored_page>> page(std::string after, std::size_t limit, std::string contains) {
        if (away_)
            co_return std::unexpected(
                store::store_error{store::store_error::kind::unreachable, "connection refused"});
        stored_page made;
        for (const auto& row : kept_)
            if (row.domain > after && made.rows.size() <= limit && row.domain.contains(contains))
                made.rows.push_back(row);
        made.more = made.rows.size() > limit;
        if (made.more)
            made.rows.pop_back();
        co_return made;
    }

    /// As http_server does: admit(), then handle().
    wire::http_reply ask(const std::string& method, const std::string& target, const std::string& body = {}) {
        site_options options;
        if (control_)
            options.may_change = [this](const io::peer&) { return may_change_; };
        options.name_of = [](const io::peer&) { return std::string("ann"); };
        options.noted = [this](std::string_view what, const io::peer&, bool refused) {
            noted_.push_back((refused ? "refused " : "done ") + std::string(what));
        };
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
    /// A 200 whose body is what the document says of this call.
    boost::json::value good(const std::string& method, const std::string& target,
                            const std::string& body = {}) {
        const auto reply = ask(method, target, body);
        EXPECT_EQ(reply.status, 200) << method << " " << target << ": " << reply.body;
        const auto found = find_route(method, target.substr(0, target.find('?')));
        boost::system::error_code error;
        auto value = boost::json::parse(reply.body, error);
        EXPECT_FALSE(error) << reply.body;
        EXPECT_EQ(reply.media_type, found.at->media);
        const tests::json_schema checker(boost::json::parse(openapi("1")).as_object());
        EXPECT_THAT(checker.complaints(value, std::string(found.at->answer)), IsEmpty())
            << method << " " << target << ": " << reply.body;
        return value;
    }
    /// A refusal, which is a problem document (RFC 9457).
    std::string bad(int status, const std::string& method, const std::string& target,
                    const std::string& body = {}) {
        const auto reply = ask(method, target, body);
        EXPECT_EQ(reply.status, status) << method << " " << target << ": " << reply.body;
        EXPECT_EQ(reply.media_type, "application/problem+json");
        boost::system::error_code error;
        const auto value = boost::json::parse(reply.body, error);
        EXPECT_FALSE(error);
        const tests::json_schema checker(boost::json::parse(openapi("1")).as_object());
        EXPECT_THAT(checker.complaints(value, "problem"), IsEmpty()) << reply.body;
        return error ? "" : std::string(value.at("detail").as_string());
    }

    tests::scratch_folder folder_;
    io::loop loop_;
    standing_clock clock_;
    tests::dns_world dns_;
    int fetches_ = 0;
    bool held_ = false; ///< fetches hang
    resolve::keeper keeper_;
    resolve::service service_;
    std::vector<model::kept_policy> kept_;
    std::shared_ptr<context> context_;
    bool control_ = true, may_change_ = true, away_ = false;
    std::vector<std::string> noted_;
};

TEST_F(api_site, the_decision_has_the_keys_of_the_contract) {
    const auto said = good("GET", "/api/v1/policy/example.com").as_object();
    EXPECT_EQ(said.at("decision").as_string(), "enforce");
    EXPECT_EQ(said.at("id").as_string(), "1");
    EXPECT_FALSE(said.contains("explanation"));
    EXPECT_FALSE(said.contains("reply"));
    EXPECT_EQ(good("GET", "/api/v1/policy/plain.example").at("decision").as_string(), "no-policy");
    EXPECT_EQ(fetches_, 1);
    good("GET", "/api/v1/policy/example.com");
    EXPECT_EQ(fetches_, 1) << "from memory";
    EXPECT_EQ(good("GET", "/api/v1/policy/example.com?live=1").at("decision").as_string(), "enforce");
    EXPECT_EQ(fetches_, 2) << "live is live";
}

TEST_F(api_site, a_dialect_and_an_explanation_are_added_where_they_are_asked_for) {
    const auto said = good("GET", "/api/v1/policy/example.com?explain=1&dialect=postfix").as_object();
    EXPECT_EQ(said.at("reply").at("status").as_string(), "OK");
    EXPECT_EQ(said.at("reply").at("text").as_string(), said.at("replies").at("postfix").as_string());
    EXPECT_THAT(std::string(said.at("explanation").as_string()), HasSubstr("example.com"));
    EXPECT_THAT(bad(400, "GET", "/api/v1/policy/example.com?dialect=latin"), HasSubstr("latin"));
    EXPECT_THAT(bad(400, "GET", "/api/v1/policy/example.com?verbose=1"), HasSubstr("verbose"));
}

TEST_F(api_site, looks_now_are_few_at_once_for_one_caller_and_in_all) {
    const auto& way = *find_route("GET", "/api/v1/policy/example.com").at;
    int answered = 0;
    const auto look = [&](std::string who, std::string live) -> io::task<int> {
        const auto reply = co_await way.handle(
            *context_,
            call{.item = "example.com", .query = {{"live", live}}, .by = {.name = std::move(who)}});
        ++answered;
        if (reply.status == 429)
            EXPECT_THAT(reply.fields, testing::Contains(testing::Pair("Retry-After", "5")));
        co_return reply.status;
    };
    const auto begin = [&](std::string who) {
        loop_.spawn([](auto with, std::string by) -> io::task<> {
            EXPECT_EQ(co_await with(by, "1"), 200) << by;
        }(look, std::move(who)));
    };
    held_ = true;
    begin("ann"), begin("ann");
    EXPECT_EQ(loop_.block_on(look("ann", "1")), 429) << "a third of hers";
    for (const char* who : {"ben", "ben", "cat", "cat", "dan", "dan"})
        begin(who);
    EXPECT_EQ(loop_.block_on(look("eve", "1")), 429) << "a ninth in all";
    EXPECT_EQ(context_->live_looks.under_way(), 8u);
    EXPECT_EQ(loop_.block_on(look("ann", "0")), 200) << "from memory, or within the budget, all the same";
    held_ = false;
    loop_.block_on([](io::loop& on, const int& done) -> io::task<> {
        while (done < 11)
            co_await on.sleep_for(std::chrono::milliseconds(1));
    }(loop_, answered));
    EXPECT_EQ(context_->live_looks.under_way(), 0u);
    EXPECT_EQ(loop_.block_on(look("ann", "1")), 200) << "there is room again";
}

TEST_F(api_site, what_has_no_policy_is_answered_too) {
    for (const char* key : {".example.com", "[192.0.2.1]", "localhost"})
        EXPECT_EQ(good("GET", std::string("/api/v1/policy/") + key).at("decision").as_string(), "no-policy")
            << key;
}

TEST_F(api_site, a_refresh_and_a_failed_delivery_look_again) {
    good("GET", "/api/v1/policy/example.com");
    const auto done = good("POST", "/api/v1/policy/example.com/refresh");
    EXPECT_EQ(done.at("changed").as_bool(), false);
    EXPECT_EQ(done.at("now").at("decision").as_string(), "enforce");
    good("POST", "/api/v1/policy/example.com/failed");
    good("POST", "/api/v1/policy/example.com/failed", R"({"words":"certificate has expired"})");
    EXPECT_EQ(service_.counted().failed_deliveries, 2u);
    bad(422, "POST", "/api/v1/policy/example.com/failed", "it failed");
    bad(422, "POST", "/api/v1/policy/example.com/failed", R"({"text":"x"})");
    bad(422, "POST", "/api/v1/policy/localhost/failed");
    bad(422, "POST", "/api/v1/policy/.example.com/refresh");
    bad(400, "POST", "/api/v1/policy/example.com/refresh", "a body that nobody wants");
}

TEST_F(api_site, what_is_remembered_is_shown_and_can_be_forgotten) {
    bad(404, "GET", "/api/v1/policies/example.com");
    good("GET", "/api/v1/policy/example.com");
    const auto row = good("GET", "/api/v1/policies/example.com").as_object();
    EXPECT_EQ(row.at("mode").as_string(), "enforce");
    EXPECT_EQ(row.at("text").as_string(), policy_text);
    EXPECT_EQ(row.at("expires_at").as_string(), base::format_utc(today + std::chrono::seconds(604'800)));
    EXPECT_EQ(good("DELETE", "/api/v1/policy/example.com").at("removed").to_number<int>(), 1);
    bad(404, "GET", "/api/v1/policies/example.com");
    EXPECT_EQ(good("DELETE", "/api/v1/policy/example.com").at("removed").to_number<int>(), 0);
    good("DELETE", "/api/v1/policies");
}

TEST_F(api_site, pages_end_where_the_list_does) {
    for (const char* domain : {"a.example", "b.example", "c.example"})
        kept_.push_back({.domain = domain, .state = {}, .used_at = today});
    kept_[1].state.held = sts::held_policy{*sts::parse_policy(policy_text), "7", policy_text, today};
    kept_[2].state.failed = sts::failed_fetch{"8", today, sts::policy_fault::webpki_invalid, "expired"};
    auto page = good("GET", "/api/v1/policies?limit=2").as_object();
    EXPECT_EQ(page.at("policies").as_array().size(), 2u);
    EXPECT_EQ(page.at("next").as_string(), "b.example");
    EXPECT_FALSE(page.at("policies").at(1).as_object().contains("text"));
    page = good("GET", "/api/v1/policies?limit=2&text=1&after=b.example").as_object();
    EXPECT_EQ(page.at("policies").as_array().size(), 1u);
    EXPECT_EQ(page.at("policies").at(0).at("failure").at("fault").as_string(), "sts-webpki-invalid");
    EXPECT_TRUE(page.at("next").is_null());
    away_ = true;
    const auto refused = ask("GET", "/api/v1/policies");
    EXPECT_EQ(refused.status, 503);
    EXPECT_THAT(refused.fields, testing::Contains(testing::Pair("Retry-After", "10")));
    EXPECT_EQ(good("GET", "/api/v1/policy/example.com").at("decision").as_string(), "enforce")
        << "decisions need no database";
}

TEST_F(api_site, what_is_exported_can_be_imported) {
    kept_.push_back({.domain = "a.example", .state = {}, .used_at = today});
    kept_[0].state.held = sts::held_policy{*sts::parse_policy(policy_text), "7", policy_text, today};
    kept_[0].state.record = {.what = sts::record_sighting::kind::valid, .id = "7", .ttl = 300, .detail = {}};
    kept_[0].state.record_at = today;
    const auto exported = ask("GET", "/api/v1/export");
    EXPECT_EQ(exported.status, 200);
    EXPECT_EQ(exported.media_type, "application/x-ndjson");
    const auto done = good("POST", "/api/v1/policies", exported.body);
    EXPECT_EQ(done.at("taken").to_number<int>(), 1) << exported.body;
    EXPECT_EQ(good("GET", "/api/v1/policies/a.example").at("id").as_string(), "7");
    const auto partly = good("POST", "/api/v1/policies", exported.body + "{\"domain\":\n");
    EXPECT_EQ(partly.at("refused_lines").to_number<int>(), 1);
    bad(422, "POST", "/api/v1/policies", "\x01\x02 no such thing");
}

TEST_F(api_site, exceptions_are_made_shown_and_ended) {
    EXPECT_EQ(good("GET", "/api/v1/overrides").at("overrides").as_array().size(), 0u);
    const auto made = good("PUT", "/api/v1/override/Example.COM",
                           R"({"as":"exempt","why":"their MX moves","until":"2030-01-31"})");
    EXPECT_EQ(made.at("domain").as_string(), "example.com");
    EXPECT_EQ(made.at("by").as_string(), "ann");
    EXPECT_EQ(made.at("until").as_string(), "2030-02-01T00:00:00Z") << "that day included";
    EXPECT_EQ(good("GET", "/api/v1/override/example.com").at("why").as_string(), "their MX moves");
    const auto said = good("GET", "/api/v1/policy/example.com").as_object();
    EXPECT_EQ(said.at("decision").as_string(), "no-policy");
    EXPECT_EQ(said.at("source").as_string(), "override");
    good("DELETE", "/api/v1/override/example.com");
    EXPECT_EQ(good("GET", "/api/v1/policy/example.com").at("decision").as_string(), "enforce");
    bad(404, "DELETE", "/api/v1/override/example.com");
    bad(404, "GET", "/api/v1/override/example.com");
}

TEST_F(api_site, an_exception_that_makes_no_sense_is_refused_with_the_reason) {
    struct row {
        const char *domain, *body, *says;
    };
    for (const row& r :
         {row{"example.com", "", "no JSON object"}, row{"example.com", "[]", "no JSON object"},
          row{"example.com", R"({"as":"exempt"})", "say why"},
          row{"example.com", R"({"as":"exempt","why":"  "})", "say why"},
          row{"example.com", R"({"as":"allow","why":"x"})", "exempt, pin, testing or require"},
          row{"example.com", R"({"as":"pin","why":"x"})", "needs the MX patterns"},
          row{"example.com", R"({"as":"exempt","why":"x","mx":["a.example"]})", "pin alone"},
          row{"example.com", R"({"as":"pin","why":"x","mx":["*.*.example"]})", "no MX pattern"},
          row{"example.com", R"({"as":"pin","why":"x","mx":["a.example servername=x"]})", "no MX pattern"},
          row{"example.com", R"({"as":"pin","why":"x","mx":"a.example"})", "a list of texts"},
          row{"example.com", R"({"as":"exempt","why":"x","until":"soon"})", "no day"},
          row{"example.com", R"({"as":"exempt","why":"x","until":"2001-01-31"})", "past already"},
          row{"example.com", R"({"as":"exempt","why":"x","colour":"red"})", "no member 'colour'"},
          row{"localhost", R"({"as":"exempt","why":"x"})", "localhost"},
          row{"192.0.2.1", R"({"as":"exempt","why":"x"})", "192.0.2.1"}})
        EXPECT_THAT(bad(422, "PUT", std::string("/api/v1/override/") + r.domain, r.body), HasSubstr(r.says))
            << r.body;
    EXPECT_TRUE(service_.overrides().empty());
}

TEST_F(api_site, nothing_is_changed_but_where_who_asks_may) {
    struct row {
        const char *method, *path, *body;
    };
    const row changes[] = {{"POST", "/api/v1/policy/example.com/refresh", ""},
                           {"POST", "/api/v1/policy/example.com/failed", ""},
                           {"DELETE", "/api/v1/policy/example.com", ""},
                           {"DELETE", "/api/v1/policies", ""},
                           {"POST", "/api/v1/policies", "example.com\n"},
                           {"PUT", "/api/v1/override/example.com", R"({"as":"exempt","why":"x"})"},
                           {"DELETE", "/api/v1/override/example.com", ""}};
    good("GET", "/api/v1/policy/example.com");
    std::size_t tried = 0;
    for (const bool control : {true, false}) {
        control_ = control;
        may_change_ = false;
        for (const auto& row : changes) {
            const auto why = bad(403, row.method, row.path, row.body);
            EXPECT_THAT(why, HasSubstr(control ? "group" : "control socket"));
            EXPECT_EQ(noted_.size(), ++tried);
            EXPECT_THAT(noted_.back(), testing::StartsWith("refused "));
        }
    }
    EXPECT_TRUE(service_.overrides().empty());
    EXPECT_EQ(service_.policies().size(), 1u);
    std::size_t of_the_table = 0;
    for (const auto& each : routes())
        of_the_table += each.changes && each.part == part_of::policies ? 1 : 0;
    EXPECT_EQ(std::size(changes), of_the_table) << "every route that changes something stands above";
    good("GET", "/api/v1/policy/example.com"); // reading goes on
}

TEST_F(api_site, foreign_paths_and_methods_are_named) {
    EXPECT_THAT(bad(404, "GET", "/api/v1/nonsense"), HasSubstr("/api/v1/openapi.json"));
    const auto reply = ask("PATCH", "/api/v1/policies");
    EXPECT_EQ(reply.status, 405);
    EXPECT_THAT(reply.fields, testing::Contains(testing::Pair("Allow", "GET, DELETE, POST")));
    EXPECT_EQ(ask("HEAD", "/api/v1/policies").status, 200) << "a GET whose body is left out later";
}

TEST_F(api_site, the_document_is_served) {
    EXPECT_EQ(good("GET", "/api/v1/openapi.json").at("info").at("version").as_string(), "1.2.3");
}

} // namespace
} // namespace mailtight::api
