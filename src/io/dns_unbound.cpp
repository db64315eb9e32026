// SPDX-License-Identifier: Apache-2.0
// libunbound works in a thread of its own (ub_ctx_async) and tells of answers through a file descriptor that
// the loop watches; so validation takes the second core while the loop goes on. The answer packet is read by
// the same codec as everywhere; from libunbound come the verdict on DNSSEC and its reason.
#include "io/dns_unbound.h"

#include "base/text.h"
#include "io/dns_socket.h"
#include "io/loop_state.h"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <fmt/format.h>
#include <unbound.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

namespace mailtight::io {

namespace {

using mode = resolver_options::mode;

constexpr const char* system_anchor = "/usr/share/dns/root.key";

struct context_deleter {
    void operator()(ub_ctx* context) const { ub_ctx_delete(context); }
};
struct result_deleter {
    void operator()(ub_result* result) const { ub_resolve_free(result); }
};
using context_ptr = std::unique_ptr<ub_ctx, context_deleter>;
using result_ptr = std::unique_ptr<ub_result, result_deleter>;

void must(int code, const std::string& what) {
    if (code != 0)
        throw std::runtime_error(fmt::format("{}: {}", what, ub_strerror(code)));
}

void set(ub_ctx* context, const char* option, const std::string& value) {
    must(ub_ctx_set_option(context, option, value.c_str()), fmt::format("libunbound option {}", option));
}

/// The library's defaults are for a host that asks a few names; ours asks thousands at once.
void widen(ub_ctx* context, const resolver_options& options) {
    set(context, "num-queries-per-thread:", std::to_string(std::max<std::size_t>(options.in_flight, 512)));
    set(context, "outgoing-range:", "4096");
    set(context, "so-rcvbuf:", "0");
    set(context, "msg-cache-size:", "16m");
    set(context, "rrset-cache-size:", "32m");
    set(context, "key-cache-size:", "8m");
    set(context, "neg-cache-size:", "4m");
    set(context, "infra-cache-numhosts:", "20000");
    set(context, "target-fetch-policy:", "0 0 0 0 0"); // nothing is fetched that no question needs
    set(context, "edns-buffer-size:", "1232");
    set(context, "aggressive-nsec:", "yes");
    set(context, "module-config:", "validator iterator");
    // The test worlds of the lab, and resolvers of the operator, live on such names and addresses.
    set(context, "do-not-query-localhost:", "no");
    set(context, "unblock-lan-zones:", "yes");
    set(context, "insecure-lan-zones:", "yes");
}

std::string anchor_of(const resolver_options& options) {
    const std::string file = options.trust_anchor_file.empty() ? system_anchor : options.trust_anchor_file;
    if (!std::filesystem::exists(file))
        throw std::runtime_error("no DNSSEC trust anchor at " + file);
    return file;
}

std::string describe(const resolver_options& options, const std::vector<endpoint>& servers) {
    if (options.how == mode::recursive)
        return "from the root servers on, validating here";
    std::string text;
    for (const auto& server : servers)
        text += (text.empty() ? "" : ", ") + server.to_string();
    return text + ", validating here";
}

class unbound_backend final : public dns_backend {
public:
    unbound_backend(loop& on, const resolver_options& options, const std::vector<endpoint>& servers);
    ~unbound_backend() override {
        descriptor_.release(); // the descriptor is the library's to close
    }
    unbound_backend(const unbound_backend&) = delete;
    unbound_backend& operator=(const unbound_backend&) = delete;

    task<dns_lookup> ask(wire::dns_question question) override;
    std::string description() const override { return description_; }

private:
    /// One question in the library's hands; takes itself back when it goes.
    struct pending {
        pending(loop& on, ub_ctx* in)
            : timer(on.native().context)
            , context(in) {}
        pending(const pending&) = delete;
        pending& operator=(const pending&) = delete;
        ~pending() {
            if (sent && !done) // the library then never calls back for it
                ub_cancel(context, id);
        }
        boost::asio::steady_timer timer;
        ub_ctx* context;
        result_ptr result;
        int id = 0;
        int error = 0;
        bool sent = false, done = false;
    };
    static void arrived(void* waiting, int error, ub_result* result);
    void listen();

    loop& loop_;
    context_ptr context_;
    boost::asio::posix::stream_descriptor descriptor_;
    std::chrono::milliseconds timeout_;
    std::string description_;
};

unbound_backend::unbound_backend(loop& on, const resolver_options& options,
                                 const std::vector<endpoint>& servers)
    : loop_(on)
    , context_(ub_ctx_create())
    , descriptor_(on.native().context)
    , timeout_(options.timeout)
    , description_(describe(options, servers)) {
    if (!context_)
        throw std::runtime_error("libunbound cannot be started");
    auto* context = context_.get();
    ub_ctx_debugout(context, nullptr); // facts tell what is wrong; the library has no say on our stderr
    widen(context, options);
    must(ub_ctx_add_ta_file(context, anchor_of(options).c_str()), "trust anchor");
    if (options.how == mode::recursive) {
        if (!options.root_hints_file.empty())
            set(context, "root-hints:", options.root_hints_file);
        // Name servers found on the way are addresses that a remote side named.
        for (const auto& network : options.guard.refused_networks())
            set(context, "do-not-query-address:", network.to_string());
    } else {
        for (const auto& server : servers) { // libunbound writes a port as ADDRESS@PORT
            const auto text = fmt::format("{}@{}", server.address.to_string(), server.port);
            must(ub_ctx_set_fwd(context, text.c_str()), "server " + server.to_string());
        }
    }
    must(ub_ctx_async(context, 1), "libunbound thread");
    // From here on the settings are in force: a bad anchor or hints file shows now, not with each question.
    // The zone that goes is one that the library answers by itself unless told otherwise.
    must(ub_ctx_zone_remove(context, "test."), "libunbound with trust anchor " + anchor_of(options));
    const int watched = ub_fd(context);
    if (watched < 0)
        throw std::runtime_error("libunbound gives no file descriptor");
    descriptor_.assign(watched);
    listen();
}

void unbound_backend::listen() {
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                           [this](const boost::system::error_code& error) {
                               if (error)
                                   return; // the backend has gone
                               ub_process(context_.get());
                               listen();
                           });
}

void unbound_backend::arrived(void* given, int error, ub_result* result) {
    auto& waiting = *static_cast<pending*>(given);
    waiting.result.reset(result);
    waiting.error = error;
    waiting.done = true;
    waiting.timer.cancel();
}

void judge_failure(dns_lookup& into, const ub_result& result, const wire::dns_message* message) {
    const std::string why = result.why_bogus ? base::printable(result.why_bogus, 500) : "";
    // Without the root's keys nothing can be validated: that says something of the resolver that we ask, and
    // nothing of the name.
    const bool no_keys = why.find("for trust anchor .") != std::string::npos &&
                         why.find("no DNSKEY rrset") != std::string::npos;
    if (result.bogus != 0 && no_keys) {
        into.status = model::dns_status::servfail;
        into.detail =
            "the resolver does not give the keys of the root zone: it is out of reach, or refuses us (" +
            why + ")";
        return;
    }
    if (result.bogus != 0) {
        into.status = model::dns_status::bogus;
        into.security = model::dnssec::bogus;
        into.detail = why.empty() ? "DNSSEC validation failed" : why;
        return;
    }
    const auto code = static_cast<wire::dns_rcode>(result.rcode);
    into.status =
        code == wire::dns_rcode::server_failure ? model::dns_status::servfail : model::dns_status::refused;
    into.detail = message ? describe_failure(*message) : wire::to_string(code);
    if (code == wire::dns_rcode::server_failure)
        into.detail += why.empty() ? ": no server gave a usable answer" : ": " + why;
}

dns_lookup read_result(const wire::dns_question& question, const ub_result& result) {
    dns_lookup lookup;
    const std::string_view packet(static_cast<const char*>(result.answer_packet),
                                  static_cast<std::size_t>(std::max(result.answer_len, 0)));
    auto message = wire::parse_dns_message(result.answer_packet ? packet : std::string_view());
    const auto code = static_cast<wire::dns_rcode>(result.rcode);
    if (result.bogus != 0 || (code != wire::dns_rcode::no_error && code != wire::dns_rcode::nx_domain)) {
        judge_failure(lookup, result, message ? &*message : nullptr);
        return lookup;
    }
    if (!message) {
        lookup.status = model::dns_status::malformed;
        lookup.detail = explain(message.error());
        return lookup;
    }
    if (!absorb(lookup, wire::read_dns_answer(std::move(*message), question))) {
        lookup.status = model::dns_status::servfail;
        lookup.detail = "the chain of CNAMEs could not be followed to its end";
        return lookup;
    }
    lookup.security = result.secure != 0 ? model::dnssec::secure : model::dnssec::insecure;
    return lookup;
}

task<dns_lookup> unbound_backend::ask(wire::dns_question question) {
    pending waiting(loop_, context_.get());
    waiting.timer.expires_after(timeout_);
    waiting.error =
        ub_resolve_async(context_.get(), question.name.empty() ? "." : question.name.c_str(),
                         static_cast<int>(question.type), wire::dns_class_in, &waiting, arrived, &waiting.id);
    waiting.sent = waiting.error == 0;
    if (waiting.sent && !waiting.done)
        co_await completion{[&](auto done) { waiting.timer.async_wait(std::move(done)); }};
    dns_lookup lookup;
    if (waiting.error != 0) {
        lookup.status = model::dns_status::servfail;
        lookup.detail = ub_strerror(waiting.error);
    } else if (!waiting.done) {
        lookup.status = model::dns_status::timeout;
        lookup.detail = "no answer in time";
    } else {
        lookup = read_result(question, *waiting.result);
    }
    co_return lookup;
}

} // namespace

std::unique_ptr<dns_backend> make_unbound_backend(loop& on, const resolver_options& options,
                                                  std::vector<endpoint> servers) {
    return std::make_unique<unbound_backend>(on, options, servers);
}

} // namespace mailtight::io
