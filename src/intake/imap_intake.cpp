// SPDX-License-Identifier: Apache-2.0
// The IMAP poller: list by UID, fetch a bounded group, store it (one commit), write down how far it got, and
// only then mark, move or delete. Memory is one group, whatever the size of the mailbox.
#include "intake/imap_login.h"
#include "intake/imap_position.h"
#include "intake/ways_in.h"

#include "io/imap.h"
#include "io/worker.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::intake {

namespace {

constexpr std::size_t group_mails = 50;
constexpr std::size_t group_bytes = 32 * 1024 * 1024;
constexpr std::chrono::milliseconds nap{200};

} // namespace

struct imap_intake::state {
    io::loop& loop;
    keeper& into;
    const base::clock& clock;
    imap_options options;
    std::string account;      ///< "user@host/folder": the name of its facts
    io::imap_session session; ///< the worker's thread alone, but for abort()
    way_status status;
    bool stopping = false, poked = false, running = false;
    imap_login login;
    std::optional<imap_position> position;
    bool leftovers = false; ///< mails stored before, whose move or removal may have been cut off
    io::worker worker;      ///< last: it ends before what it uses

    state(io::loop& on, keeper& to, const base::clock& time, io::resolver& names, const io::tls_client& roots,
          imap_options with)
        : loop(on)
        , into(to)
        , clock(time)
        , options(std::move(with))
        , account(fmt::format("{}@{}/{}", options.user, options.url_host, options.folder))
        , session(io::imap_access{})
        , login(
              on, time, names, roots, options,
              [this](std::string name) { return read_fact(fact_name(name)); },
              [this](std::string name, std::string value) {
                  return write_fact(fact_name(name), std::move(value));
              })
        , leftovers(options.after != "mark")
        , worker(on, "imap") {
        status.name = "imap";
        status.where = account;
    }

    std::string fact_name(std::string_view what) const { return fmt::format("imap/{}/{}", account, what); }

    void fault(std::string words) {
        status.last_error = std::move(words);
        status.last_error_at = clock.now();
    }

    io::task<std::optional<std::string>> read_fact(std::string name) {
        auto found = std::make_shared<std::optional<std::string>>();
        auto done = co_await into.write([found, name](store::store& from) -> store::result<void> {
            auto value = from.fact(name);
            if (!value)
                return std::unexpected(value.error());
            *found = *value;
            return {};
        });
        if (!done)
            fault("the store: " + done.error().message);
        co_return *found;
    }
    io::task<bool> write_fact(std::string name, std::string value) {
        auto done = co_await into.write([name, value](store::store& to) { return to.set_fact(name, value); });
        if (!done)
            fault("the store: " + done.error().message);
        co_return done.has_value();
    }

    /// Name, password or token for the next connection; false where there is none.
    io::task<bool> access() {
        if (!login.expired())
            co_return true;
        auto with = co_await login.make();
        if (!with) {
            fault(with.error());
            co_return false;
        }
        co_await worker.run<int>([this, access = *with] {
            session.set_access(access);
            return 0;
        });
        co_return true;
    }

    template<class T>
    io::task<std::optional<T>> call(std::function<io::imap_result<T>(io::imap_session&)> job) {
        auto done = co_await worker.run<io::imap_result<T>>([this, job] { return job(session); });
        if (done)
            co_return std::move(*done);
        if (done.error().what == io::imap_error::kind::login)
            login.forget(); // a token may have been revoked before its time
        if (done.error().what != io::imap_error::kind::gone)
            fault(done.error().message);
        co_return std::nullopt;
    }

    struct fetched {
        std::uint64_t uid = 0;
        std::string bytes;
    };

    /// Fetches up to a group from the front of `entries`; what is too large or gone is passed over. Nothing:
    /// the connection failed.
    io::task<std::optional<std::vector<fetched>>> fetch_group(std::vector<std::uint64_t>& uids) {
        std::vector<fetched> group;
        std::size_t bytes = 0;
        std::size_t used = 0;
        for (; used < uids.size() && group.size() < group_mails && bytes < group_bytes; ++used) {
            auto mail = co_await worker.run<io::imap_result<std::string>>(
                [this, uid = uids[used]] { return session.fetch(options.folder, uid, options.mail_bytes); });
            if (mail) {
                bytes += mail->size();
                group.push_back({uids[used], std::move(*mail)});
            } else if (mail.error().what == io::imap_error::kind::too_large) {
                ++status.refused; // left where it is
            } else if (mail.error().what != io::imap_error::kind::gone) {
                fault(mail.error().message);
                co_return std::nullopt;
            }
        }
        uids.erase(uids.begin(), uids.begin() + static_cast<std::ptrdiff_t>(used));
        co_return group;
    }

    io::task<bool> after_commit(const std::vector<std::uint64_t>& uids) {
        if (uids.empty())
            co_return true;
        auto done = co_await worker.run<io::imap_result<void>>([this, uids] {
            if (options.after == "mark")
                return session.mark_seen(options.folder, uids);
            if (options.after == "delete")
                return session.remove(options.folder, uids);
            return session.move(options.folder, uids, options.after);
        });
        if (!done) {
            fault(done.error().message);
            leftovers = leftovers || options.after != "mark";
        }
        co_return done.has_value();
    }

    /// Stores a group; false where it must be tried again later.
    io::task<bool> store_group(std::vector<fetched> group, std::uint64_t validity, std::uint64_t up_to) {
        std::vector<io::task<kept>> work;
        std::vector<std::uint64_t> uids;
        for (auto& mail : group) {
            circumstances how;
            how.way = model::way_in::imap;
            how.source = fmt::format("{} uid {}", account, mail.uid);
            how.now = clock.now();
            uids.push_back(mail.uid);
            work.push_back(into.keep(std::move(mail.bytes), std::move(how)));
        }
        const auto outcomes = co_await io::when_all(loop, std::move(work));
        std::vector<std::uint64_t> stored;
        for (std::size_t at = 0; at < outcomes.size(); ++at) {
            if (outcomes[at].what == kept::fate::later) {
                fault("the store: " + outcomes[at].why);
                co_return false;
            }
            if (outcomes[at].what == kept::fate::stored) {
                stored.push_back(uids[at]);
                ++status.accepted;
            } else {
                ++status.refused; // no report in it: left as it is
            }
        }
        const imap_position reached{validity, up_to};
        if (!co_await write_fact(fact_name("position"), reached.to_text()))
            co_return false;
        position = reached;
        co_return co_await after_commit(stored);
    }

    io::task<bool> poll() {
        if (!co_await access())
            co_return false;
        if (!position) {
            const auto text = co_await read_fact(fact_name("position"));
            position = text ? imap_position::parse(*text).value_or(imap_position{}) : imap_position{};
        }
        const auto folder = co_await call<io::imap_status>(
            [this](io::imap_session& on) { return on.status(options.folder); });
        if (!folder)
            co_return false;
        const std::uint64_t first = leftovers ? 1 : position->next(folder->uid_validity);
        leftovers = false;
        uid_windows windows(first, folder->uid_next);
        while (!windows.done() && !stopping) {
            auto uids = co_await call<std::vector<std::uint64_t>>(
                [this, first = windows.first(), last = windows.last()](io::imap_session& on) {
                    return on.list(options.folder, first, last);
                });
            if (!uids)
                co_return false;
            const bool empty = uids->empty();
            while (!uids->empty() && !stopping) {
                const std::uint64_t last_seen = uids->back();
                auto group = co_await fetch_group(*uids);
                if (!group)
                    co_return false;
                const std::uint64_t up_to = uids->empty() ? last_seen : uids->front() - 1;
                if (!co_await store_group(std::move(*group), folder->uid_validity, up_to))
                    co_return false;
                if (!co_await access()) // a long back-log outlives its token
                    co_return false;
            }
            windows.advance(empty);
        }
        status.last_success = clock.now();
        co_return true;
    }
};

imap_intake::imap_intake(io::loop& on, keeper& into, const base::clock& clock, io::resolver& dns,
                         const io::tls_client& tls, imap_options options)
    : state_(std::make_shared<state>(on, into, clock, dns, tls, std::move(options))) {}

imap_intake::~imap_intake() {
    stop();
    state_->worker.rest(); // nothing of ours talks to the server when the program ends
}

io::task<> imap_intake::run() {
    auto held = state_; // the object may go while the last call ends
    held->running = held->status.running = true;
    while (!held->stopping) {
        const bool ours = !held->options.our_turn || co_await held->options.our_turn();
        const bool good = !ours || co_await held->poll();
        if (good)
            held->status.last_error.clear();
        held->poked = false;
        const auto wait =
            good ? held->options.interval : std::min(held->options.interval, std::chrono::seconds(60));
        const auto until = held->loop.now() + wait;
        while (!held->stopping && !held->poked && held->loop.now() < until)
            co_await held->loop.sleep_for(nap);
    }
    held->running = held->status.running = false;
}

void imap_intake::stop() {
    state_->stopping = true;
    state_->session.abort();
}

void imap_intake::poll_now() {
    state_->poked = true;
}

way_status imap_intake::status() const {
    return state_->status;
}

} // namespace mailtight::intake
