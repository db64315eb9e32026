// SPDX-License-Identifier: Apache-2.0
// The bytes of a request through the reader, the report site and a keeper with a store that only counts:
// every complete request gets one reply with a status that the site knows, and a 2xx only after something was
// stored.
#include "intake/ways_in.h"

#include "base/text.h"
#include "support/fixed_resolver.h"
#include "wire/http_request.h"

#include <cstdint>
#include <cstdlib>

using namespace mailtight;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

std::size_t stored = 0; ///< by the keeper's thread, read when it rests

struct counting_store final : store::store {
    using add_outcome = mailtight::store::add_outcome;
    template<class T>
    using result = mailtight::store::result<T>;
    result<std::vector<add_outcome>> add(std::span<const model::received_report> reports) override {
        stored += reports.size();
        return std::vector<add_outcome>(reports.size());
    }
    result<void> add_domains(std::span<const std::string>, base::utc_seconds) override { return {}; }
    result<void> remove_domain(std::string_view) override { return {}; }
    result<void> count_unverified(bool) override { return {}; }
    result<bool> expire(base::utc_seconds, base::utc_seconds) override { return false; }
    result<void> set_fact(std::string_view, std::string_view) override { return {}; }
    result<std::optional<std::string>> fact(std::string_view) override {
        return std::optional<std::string>();
    }
    result<std::vector<std::pair<std::string, std::string>>> facts(std::string_view) override { return {}; }
    result<std::vector<mailtight::store::own_domain>> domains() override { return {}; }
    result<std::vector<mailtight::store::report_row>> list(const mailtight::store::filter&,
                                                           const mailtight::store::page&) override {
        return {};
    }
    result<std::optional<mailtight::store::stored_report>> show(mailtight::store::report_number) override {
        return {};
    }
    result<std::optional<mailtight::store::report_number>> find_test(std::string_view) override { return {}; }
    result<std::vector<mailtight::store::day_row>> days(const mailtight::store::filter&) override {
        return {};
    }
    result<std::vector<mailtight::store::domain_row>> worst_domains(const mailtight::store::filter&,
                                                                    std::size_t) override {
        return {};
    }
    result<std::vector<mailtight::store::reporter_row>> reporters(const mailtight::store::filter&) override {
        return {};
    }
    result<std::vector<mailtight::store::mx_row>> reporters_by_mx(const mailtight::store::filter&) override {
        return {};
    }
    result<std::vector<mailtight::store::result_row>> results(const mailtight::store::filter&) override {
        return {};
    }
    result<std::vector<mailtight::store::failure_row>> failures(const mailtight::store::filter&) override {
        return {};
    }
    result<std::vector<mailtight::store::policy_row>> policies(const mailtight::store::filter&) override {
        return {};
    }
    result<std::vector<std::string>> names_below(std::span<const std::string>, mailtight::store::day,
                                                 std::size_t) override {
        return {};
    }
    result<std::vector<mailtight::store::quarantine_row>>
    quarantine(const mailtight::store::filter&) override {
        return {};
    }
    result<std::optional<mailtight::store::day>> newest_day(std::span<const std::string>) override {
        return std::optional<mailtight::store::day>();
    }
    result<std::vector<mailtight::store::reporter_day_row>>
    reporter_days(const mailtight::store::filter&) override {
        return {};
    }
    result<mailtight::store::worst_failures> worst_failures(const mailtight::store::filter&,
                                                            std::size_t) override {
        return {};
    }
    result<mailtight::store::sizes> size() override { return mailtight::store::sizes{}; }
};

/// Nothing that is posted needs a name.
struct no_dns final : tests::fixed_resolver {
    io::task<model::txt_fact> txt(std::string) override {
        std::abort();
        co_return model::txt_fact{};
    }
};
struct one_day final : base::clock {
    base::utc_seconds now() const override { return base::utc_seconds{std::chrono::seconds(1'777'800'000)}; }
};

struct world {
    io::loop loop;
    no_dns dns;
    one_day clock;
    intake::keeper keeper{loop, std::make_unique<counting_store>(), dns, clock};
    intake::address_book book{{"tls-report@reports.example"}};
    io::http_site site;
    world() {
        book.set_domains({{"example.com", "token", {}}});
        intake::http_intake_options options;
        options.posts_per_minute = 1'000'000'000;
        site = intake::report_site(loop, keeper, book, clock, options, nullptr);
    }
    wire::http_reply answer(io::http_exchange exchange) {
        if (auto refused = site.admit(exchange))
            return *refused;
        return loop.block_on(site.handle(std::move(exchange)));
    }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static auto& all = *new world; // its thread lives as long as the process
    wire::http_request_reader reader({.body_bytes = 64 * 1024});
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    for (int requests = 0; requests < 10 && !bytes.empty(); ++requests) {
        bytes.remove_prefix(reader.feed(bytes));
        if (reader.refused() != 0 || !reader.complete())
            return 0;
        io::http_exchange exchange;
        exchange.request = reader.request();
        exchange.client = "192.0.2.1";
        const auto before = stored;
        const auto reply = all.answer(exchange);
        require(reply.status == 200 || reply.status == 201 || reply.status == 404 || reply.status == 405 ||
                reply.status == 413 || reply.status == 415 || reply.status == 422);
        require((reply.status < 300) == (stored > before));
        require(reply.status >= 300 ||
                (exchange.request.method == "POST" && base::iequals(exchange.request.path, "/tlsrpt/token")));
        require(!wire::write_reply(reply, exchange.request, 0).empty());
        reader.reset();
    }
    return 0;
}
