// SPDX-License-Identifier: Apache-2.0
// The service as the source of a front's answers.
#include "resolve/front.h"

#include <utility>

namespace mailtight::resolve {

namespace {

class from_service final : public policy_source {
public:
    explicit from_service(service& of)
        : of_(of) {}
    shared_decision known(std::string_view key) override { return of_.known(key); }
    io::task<shared_decision> decide(std::string key) override { return of_.decide(std::move(key)); }
    io::task<shared_decision> look_live(std::string key) override { return of_.look_live(std::move(key)); }
    bool delivery_failed(std::string_view key, std::string_view words) override {
        return of_.delivery_failed(key, words);
    }
    io::task<std::size_t> purge() override { return of_.purge(""); }
    std::optional<std::size_t>
    some(std::size_t from, std::size_t limit,
         const std::function<void(const model::kept_policy&)>& take) const override {
        return of_.policies().some(from, limit, take);
    }
    std::optional<model::kept_policy> kept(std::string_view domain) const override {
        return of_.policies().get(domain);
    }
    std::vector<model::policy_override> overrides() const override { return of_.overrides(); }
    void count_repeated(const tls_decision& given) override { of_.count_repeated(given); }
    void told(const tls_decision& given, const asked_about& what) override { of_.answered(given, what); }

private:
    service& of_;
};

} // namespace

front::front(io::loop& on, service& of, const base::clock& clock, front_options options)
    : front(on, std::make_shared<from_service>(of), clock, std::move(options)) {}

} // namespace mailtight::resolve
