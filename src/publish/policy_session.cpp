// SPDX-License-Identifier: Apache-2.0
// Entries: the makers of sessions. One session reads requests; what it answers is the site's.
#include "publish/policy_session.h"

#include "io/http_route.h"
#include "publish/http_words.h"
#include "wire/http_request.h"

#include <fmt/format.h>

#include <utility>

namespace mailtight::publish {

namespace {

/// Enough said until the client has taken it.
constexpr std::size_t out_most = 64 * 1024;
constexpr std::string_view challenge_path = "/.well-known/acme-challenge/";

} // namespace

struct policy_sessions::state {
    state(const policy_host& host, fetch_counter* fetches, const base::clock& clock,
          policy_session_options options)
        : host(host)
        , fetches(fetches)
        , clock(clock)
        , options(std::move(options)) {}

    const policy_host& host;
    fetch_counter* fetches;
    const base::clock& clock;
    policy_session_options options;
    counters counted;
    base::utc_seconds dated_at{};
    std::string date; ///< the field with the time of dated_at (RFC 9110 §6.6.1)

    std::string_view date_field(base::utc_seconds now) {
        if (now != dated_at || date.empty()) {
            dated_at = now;
            date = fmt::format("Date: {}\r\n\r\n", wire::http_date(now.time_since_epoch().count()));
        }
        return date;
    }
};

namespace {

using shared_state = std::shared_ptr<policy_sessions::state>;

/// Reads requests, one after the other, and closes where the next one could not be told from a body.
class http_session : public io::request_session {
public:
    http_session(shared_state with, std::shared_ptr<io::request_link> link)
        : with_(std::move(with))
        , link_(std::move(link)) {}

    std::size_t received(std::string_view bytes, std::string& out) final {
        std::size_t used = 0;
        while (used < bytes.size() && out.size() < out_most) {
            const auto head = wire::read_http_head(bytes.substr(used), with_->options.limits);
            if (head.refused == 0 && head.size == 0)
                return used;
            used += head.size;
            const bool last = head.refused != 0 || head.close || head.body ||
                              ++answered_ >= with_->options.requests_per_connection;
            if (head.refused != 0)
                refuse(head, head.refused, !last, out);
            else
                answer(head, !last, out);
            if (last) {
                link_->finish();
                return bytes.size();
            }
        }
        return used;
    }
    bool idle() const final { return true; }

protected:
    virtual void answer(const wire::http_head& asked, bool keep_alive, std::string& out) = 0;

    void refuse(const wire::http_head& asked, int status, bool keep_alive, std::string& out) {
        ++(status == 404 ? with_->counted.not_found : with_->counted.refused);
        const auto& words = refusal_of(status);
        say(words.heads.of(keep_alive), asked.method == "HEAD" ? std::string_view() : words.body, out);
    }
    /// The head, the time, the body.
    void say(std::string_view head, std::string_view body, std::string& out) {
        now_ = with_->clock.now();
        out += head.substr(0, head.size() - 2);
        out += with_->date_field(now_);
        out += body;
    }
    base::utc_seconds now_{}; ///< of the last reply
    shared_state with_;

private:
    std::shared_ptr<io::request_link> link_;
    std::size_t answered_ = 0;
};

class policy_session final : public http_session {
public:
    policy_session(shared_state with, std::shared_ptr<io::request_link> link, io::peer from,
                   std::string_view server_name)
        : http_session(std::move(with), std::move(link))
        , from_(std::move(from))
        , server_name_(server_name)
        , address_(from_.address ? from_.address->address.to_string() : from_.to_string()) {}

private:
    void answer(const wire::http_head& asked, bool keep_alive, std::string& out) override {
        const bool nameless = asked.has_host && asked.host.empty();
        const auto reply = with_->host.answer(asked.method, asked.path, nameless ? ":" : asked.host,
                                              server_name_, keep_alive);
        say(reply.head, reply.body, out);
        if (!reply.given) {
            ++(reply.status == 404 ? with_->counted.not_found : with_->counted.refused);
            return;
        }
        ++with_->counted.given;
        if (with_->fetches)
            with_->fetches->count(reply.given->domain, reply.given->id, client(asked), asked.agent, now_);
    }
    /// Whose fetch it is: over TLS nobody stands between.
    std::string client(const wire::http_head& asked) const {
        if (!server_name_.empty() || asked.forwarded.empty())
            return address_;
        return io::client_address(from_, asked.forwarded, with_->options.trusted_proxies);
    }

    io::peer from_;
    std::string server_name_, address_;
};

class challenge_session final : public http_session {
public:
    using http_session::http_session;

private:
    void answer(const wire::http_head& asked, bool keep_alive, std::string& out) override {
        const auto key = asked.path.starts_with(challenge_path)
                             ? with_->host.token(asked.path.substr(challenge_path.size()))
                             : std::string_view();
        if (key.empty())
            return refuse(asked, 404, keep_alive, out);
        if (asked.method != "GET" && asked.method != "HEAD")
            return refuse(asked, 405, keep_alive, out);
        ++with_->counted.challenges;
        const auto heads = make_heads(200, key.size(), "text/plain", "");
        say(heads.of(keep_alive), asked.method == "GET" ? key : std::string_view(), out);
    }
};

class ask_session final : public http_session {
public:
    using http_session::http_session;

private:
    /// The value of `domain`; what would need decoding is no host name.
    static std::string_view asked_host(std::string_view path) {
        constexpr std::string_view site = "/ask?", name = "domain=";
        if (!path.starts_with(site))
            return {};
        for (path.remove_prefix(site.size()); !path.empty();) {
            const auto end = std::min(path.find('&'), path.size());
            if (path.starts_with(name))
                return path.substr(name.size(), end - name.size());
            path.remove_prefix(std::min(end + 1, path.size()));
        }
        return {};
    }
    void answer(const wire::http_head& asked, bool keep_alive, std::string& out) override {
        if (asked.path.substr(0, asked.path.find('?')) == "/ask" && asked.method != "GET")
            return refuse(asked, 405, keep_alive, out);
        char room[256];
        constexpr std::string_view label = "mta-sts.";
        const auto host = wire::host_name_of(asked_host(asked.path), room);
        if (!host.starts_with(label) || !with_->host.knows(host.substr(label.size())))
            return refuse(asked, 404, keep_alive, out);
        static const auto yes = make_heads(200, 0, "text/plain", "");
        say(yes.of(keep_alive), "", out);
    }
};

} // namespace

policy_sessions::policy_sessions(const policy_host& host, fetch_counter* fetches, const base::clock& clock,
                                 policy_session_options options)
    : state_(std::make_shared<state>(host, fetches, clock, std::move(options))) {}

policy_sessions::~policy_sessions() = default;

io::make_secure_session policy_sessions::over_tls() const {
    return [with = state_](std::shared_ptr<io::request_link> link, const io::secure_peer& who) {
        return std::make_unique<policy_session>(with, std::move(link), who.from, who.server_name);
    };
}

io::make_session policy_sessions::behind_proxy() const {
    return [with = state_](std::shared_ptr<io::request_link> link, const io::peer& who) {
        return std::make_unique<policy_session>(with, std::move(link), who, "");
    };
}

io::make_session policy_sessions::challenges() const {
    return [with = state_](std::shared_ptr<io::request_link> link, const io::peer&) {
        return std::make_unique<challenge_session>(with, std::move(link));
    };
}

io::make_session policy_sessions::ask() const {
    return [with = state_](std::shared_ptr<io::request_link> link, const io::peer&) {
        return std::make_unique<ask_session>(with, std::move(link));
    };
}

policy_sessions::counters policy_sessions::counted() const {
    return state_->counted;
}

} // namespace mailtight::publish
