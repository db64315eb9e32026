// SPDX-License-Identifier: Apache-2.0
// Group commit: while the keeper's thread examines and commits one batch, the inputs that come in make the
// next one; each input's answer is given after the commit that holds all of its reports. The loop's thread
// owns the queue and the counters, the keeper's thread the store and the examiner; a batch is handed over as
// a whole.
#include "intake/keeper.h"

#include "intake/key_lookup.h"
#include "intake/parts.h"

#include <algorithm>
#include <deque>
#include <exception>

namespace mailtight::intake {

namespace {

using store_job = std::function<store::result<void>(store::store&)>;

store::store_error no_store(std::string why) {
    return {store::store_error::kind::unreachable, std::move(why)};
}

/// Something for the keeper's thread to do, and its end.
struct item {
    explicit item(io::loop& on)
        : done(on) {}
    std::string bytes;
    circumstances how;
    std::shared_ptr<const key_answers> keys;
    store_job job; ///< set: this instead of an input
    kept result;
    store::result<void> job_result;
    io::event done;
};
using batch = std::vector<std::shared_ptr<item>>;

bool came_as_mail(const circumstances& how) {
    using enum model::way_in;
    return how.way == smtp || how.way == lmtp || how.way == imap || how.way == maildir || how.way == mbox;
}

/// What one turn of the keeper's thread brought.
struct turn {
    std::size_t processed = 0; ///< of the batch, from its start; the rest comes again
    std::vector<model::received_report> reports;
    std::vector<store::add_outcome> outcomes; ///< of those, in order; fewer where the store failed
    bool committed = false;
    std::string error;    ///< of the store, or ""
    bool refused = false; ///< the store could not be written: nothing is wrong with what was to be
};

kept later(std::string why) {
    kept out;
    out.what = kept::fate::later;
    out.why = std::move(why);
    return out;
}

/// RFC 6376 §6.1.2: a key that could not be asked for is asked for when the mail comes again; for a day,
/// after which the report is kept as it is, so that a broken zone loses none.
constexpr std::chrono::hours key_waits{24};

bool waits_for_key(const examined& found, const circumstances& how) {
    if (!how.may_come_again || !found.mail_date || *found.mail_date > how.now + key_waits ||
        how.now - *found.mail_date > key_waits)
        return false;
    return std::ranges::any_of(found.reports, [](const model::received_report& report) {
        return report.trust == model::trust::unverified && report.dkim.result == mail::dkim_result::temperror;
    });
}

/// The side of the keeper's thread.
class writer {
public:
    writer(std::unique_ptr<store::store> store, const keeper_options& options)
        : store_(std::move(store))
        , options_(options) {}

    turn take_turn(const batch& work) {
        turn out;
        try {
            if (work.front()->job)
                run_job(*work.front(), out);
            else
                keep_inputs(work, out);
        } catch (const std::exception& error) { // no memory: nothing of this batch is said to be kept
            out = {};
            out.processed = work.size();
            out.error = error.what();
            for (const auto& each : work) {
                each->result = later(out.error);
                each->job_result = std::unexpected(no_store(out.error));
            }
        }
        return out;
    }

private:
    struct span_of_input {
        item* of;
        std::size_t first, count;
    };

    bool open() {
        if (store_)
            return true;
        const auto now = std::chrono::steady_clock::now();
        if (!options_.reopen || (tried_ && now - *tried_ < options_.reopen_every))
            return false;
        tried_ = now;
        auto opened = options_.reopen();
        if (opened)
            store_ = std::move(*opened);
        else
            error_ = opened.error().message;
        return store_ != nullptr;
    }

    /// A store that is away or damaged is opened anew before it is used again.
    void failed(const store::store_error& error) {
        using enum store::store_error::kind;
        error_ = error.message;
        if (options_.reopen && error.what != busy && error.what != wrong)
            store_.reset();
    }

    void run_job(item& work, turn& out) {
        out.processed = 1;
        if (!open()) {
            work.job_result = std::unexpected(no_store(error_));
            out.refused = true;
        } else if (work.job_result = work.job(*store_); !work.job_result) {
            failed(work.job_result.error());
            out.refused = work.job_result.error().what != store::store_error::kind::wrong;
        }
        if (!work.job_result)
            out.error = work.job_result.error().message;
    }

    void keep_inputs(const batch& work, turn& out) {
        if (!open()) { // nothing is examined for a store that is not there
            out.processed = work.size();
            out.error = error_.empty() ? "the store is away" : error_;
            out.refused = true;
            for (const auto& each : work)
                each->result = later(out.error);
            return;
        }
        std::vector<span_of_input> spans;
        std::size_t body_bytes = 0;
        for (const auto& each : work) {
            auto found = examiner_.examine(each->bytes, each->how, *each->keys);
            if (waits_for_key(found, each->how)) {
                each->result = later("the DNS does not say the DKIM key just now");
                each->result.no_key = true;
                ++out.processed;
                continue;
            }
            each->result.errors = std::move(found.errors);
            spans.push_back({each.get(), out.reports.size(), found.reports.size()});
            for (auto& report : found.reports) {
                body_bytes += report.json.size();
                out.reports.push_back(std::move(report));
            }
            ++out.processed;
            if (out.reports.size() >= options_.batch || body_bytes >= options_.batch_bytes)
                break;
        }
        commit(spans, out);
        for (auto& report : out.reports)
            report.json = {};
    }

    void commit(const std::vector<span_of_input>& spans, turn& out) {
        store::result<std::vector<store::add_outcome>> added;
        if (!out.reports.empty())
            added = store_->add(out.reports);
        if (added && added->size() == out.reports.size()) {
            out.committed = !out.reports.empty();
            for (const auto& span : spans)
                settle(span, std::span(*added).subspan(span.first, span.count));
            out.outcomes = std::move(*added);
            return;
        }
        const auto error = added ? store::store_error{} : added.error();
        out.error = error.message.empty() ? "the store lost count" : error.message;
        if (!error.again() && spans.size() > 1)
            return one_by_one(spans, out); // one input that the engine refuses must not hold back the others
        out.refused = error.what != store::store_error::kind::wrong;
        failed(error);
        for (const auto& span : spans)
            if (span.count > 0)
                span.of->result = later(out.error);
            else
                settle(span, {});
        out.reports.clear();
    }

    void one_by_one(const std::vector<span_of_input>& spans, turn& out) {
        std::vector<model::received_report> stored;
        for (const auto& span : spans) {
            const auto reports = std::span(out.reports).subspan(span.first, span.count);
            store::result<std::vector<store::add_outcome>> added;
            if (span.count > 0)
                added = store_->add(reports);
            if (!added) {
                span.of->result = later(added.error().message);
                out.refused = out.refused || added.error().what != store::store_error::kind::wrong;
                continue;
            }
            settle(span, *added);
            std::ranges::move(reports, std::back_inserter(stored));
            std::ranges::move(*added, std::back_inserter(out.outcomes));
        }
        out.reports = std::move(stored);
        out.committed = !out.reports.empty();
    }

    static void settle(const span_of_input& span, std::span<const store::add_outcome> outcomes) {
        auto& result = span.of->result;
        result.outcomes.assign(outcomes.begin(), outcomes.end());
        result.what = span.count > 0 ? kept::fate::stored : kept::fate::none;
        if (span.count == 0)
            result.why = result.errors.empty() ? "no report in it" : result.errors.front().message;
    }

    std::unique_ptr<store::store> store_;
    keeper_options options_;
    examiner examiner_;
    std::optional<std::chrono::steady_clock::time_point> tried_;
    std::string error_;
};

} // namespace

struct keeper::state : std::enable_shared_from_this<keeper::state> {
    state(keeper* of, io::loop& on, std::unique_ptr<store::store> store, io::resolver& dns,
          const base::clock& time, keeper_options given)
        : owner(of)
        , loop(on)
        , keys(on, dns)
        , clock(time)
        , options(std::move(given))
        , writing_side(std::move(store), options) {
        thread.emplace(on, "keeper");
    }

    keeper* owner; ///< null once it is gone; what is under way goes on without it
    io::loop& loop;
    key_lookup keys;
    const base::clock& clock;
    keeper_options options;
    keeper_counters counters;
    std::deque<std::shared_ptr<item>> queue;
    std::size_t inside = 0; ///< inputs and jobs between their call and their answer
    std::size_t bytes = 0;  ///< of those
    bool writing = false, stopping = false;
    std::vector<std::shared_ptr<io::event>> waiting_for_rest;
    writer writing_side;              ///< the keeper's thread alone, while `writing`
    std::optional<io::worker> thread; ///< last: it ends before what it uses

    /// Books an input from its call to its answer, however it ends.
    struct booking {
        booking(state& in, std::size_t size)
            : of(in)
            , bytes(size) {
            ++of.inside;
            of.bytes += bytes;
        }
        booking(const booking&) = delete;
        booking& operator=(const booking&) = delete;
        ~booking() {
            of.bytes -= bytes;
            if (--of.inside == 0)
                for (const auto& waiter : std::exchange(of.waiting_for_rest, {}))
                    waiter->set();
        }
        state& of;
        std::size_t bytes;
    };

    static io::task<kept> keep(std::shared_ptr<state> self, std::string bytes, circumstances how);
    static io::task<store::result<void>> write(std::shared_ptr<state> self, store_job job);
    static io::task<> drain(std::shared_ptr<state> self);
    static io::task<> write_queue(std::shared_ptr<state> self);
    void enqueue(std::shared_ptr<item> work);
    batch next_batch() const;
    void count(const turn& done);
};

io::task<kept> keeper::state::keep(std::shared_ptr<state> self, std::string bytes, circumstances how) {
    ++self->counters.inputs;
    if (self->stopping || self->bytes + bytes.size() > self->options.queued_bytes) {
        ++self->counters.later;
        co_return later(self->stopping ? "stopping" : "too much is waiting to be written");
    }
    if (self->owner && self->owner->on_other_mail && came_as_mail(how) && is_delivery_status(bytes)) {
        self->owner->on_other_mail(std::move(bytes));
        kept returned;
        returned.what = kept::fate::none;
        returned.why = "it says what became of another mail";
        co_return returned;
    }
    const booking booked(*self, bytes.size());
    how.now = self->clock.now();
    how.strict_dkim_service = self->options.strict_dkim_service;
    how.trusted_authservers = self->options.trusted_authservers;

    auto work = std::make_shared<item>(self->loop);
    auto names = examiner::keys_needed(bytes, how.way);
    auto keys = co_await self->keys.find(std::move(names));
    work->keys = std::move(keys);
    work->bytes = std::move(bytes);
    work->how = std::move(how);
    self->enqueue(work);
    co_await work->done;

    const auto& result = work->result;
    if (result.what == kept::fate::later)
        ++self->counters.later;
    if (result.what == kept::fate::none) {
        ++self->counters.refused;
        if (self->owner && self->owner->on_refused)
            self->owner->on_refused(work->how, result);
        if (self->owner && self->owner->on_other_mail && came_as_mail(work->how))
            self->owner->on_other_mail(std::move(work->bytes));
    }
    co_return std::move(work->result);
}

io::task<store::result<void>> keeper::state::write(std::shared_ptr<state> self, store_job job) {
    const booking booked(*self, 0);
    auto work = std::make_shared<item>(self->loop);
    work->job = std::move(job);
    self->enqueue(work);
    co_await work->done;
    co_return std::move(work->job_result);
}

void keeper::state::enqueue(std::shared_ptr<item> work) {
    if (stopping) {
        work->result = later("stopping");
        work->job_result = std::unexpected(no_store("stopping"));
        work->done.set();
        return;
    }
    queue.push_back(std::move(work));
    if (!std::exchange(writing, true))
        loop.spawn(write_queue(shared_from_this()));
}

batch keeper::state::next_batch() const {
    batch out;
    for (const auto& each : queue) {
        if (each->job && !out.empty())
            break;
        out.push_back(each);
        if (each->job || out.size() >= options.batch)
            break;
    }
    return out;
}

io::task<> keeper::state::write_queue(std::shared_ptr<state> self) {
    while (!self->queue.empty() && !self->stopping) {
        auto work = self->next_batch();
        auto done = co_await self->thread->run<turn>(
            [of = self.get(), &work] { return of->writing_side.take_turn(work); });
        self->queue.erase(self->queue.begin(),
                          self->queue.begin() + static_cast<std::ptrdiff_t>(done.processed));
        self->count(done);
        for (std::size_t i = 0; i < done.processed; ++i)
            work[i]->done.set();
    }
    for (const auto& left : std::exchange(self->queue, {})) {
        left->result = later("stopping");
        left->job_result = std::unexpected(no_store("stopping"));
        left->done.set();
    }
    self->writing = false;
}

void keeper::state::count(const turn& done) {
    using enum store::add_outcome::fate;
    if (!done.error.empty())
        counters.last_error = done.error;
    counters.failed_writes += done.refused ? 1 : 0;
    if (!done.committed)
        return;
    ++counters.commits;
    counters.last_report = clock.now();
    for (std::size_t i = 0; i < done.outcomes.size(); ++i) {
        ++counters.reports;
        switch (done.outcomes[i].what) {
        case added:
            ++counters.added;
            break;
        case duplicate:
            ++counters.duplicates;
            break;
        case correction:
            ++counters.corrections;
            break;
        case outvoted:
        case quarantined:
            ++counters.quarantined;
            break;
        case test:
            ++counters.tests;
            break;
        }
        if (owner && owner->on_stored)
            owner->on_stored(done.reports[i], done.outcomes[i]);
    }
}

io::task<> keeper::state::drain(std::shared_ptr<state> self) {
    while (self->inside > 0) {
        auto rest = std::make_shared<io::event>(self->loop);
        self->waiting_for_rest.push_back(rest);
        co_await *rest;
    }
}

keeper::keeper(io::loop& on, std::unique_ptr<store::store> writer, io::resolver& dns,
               const base::clock& clock, keeper_options options)
    : state_(std::make_shared<state>(this, on, std::move(writer), dns, clock, std::move(options))) {}

keeper::~keeper() {
    state_->owner = nullptr;
    state_->stopping = true;
    // A batch that was handed over is written, not dropped; then the thread ends, before the loop may.
    state_->thread->rest();
    state_->thread.reset();
}

io::task<kept> keeper::keep(std::string bytes, circumstances how) {
    return state::keep(state_, std::move(bytes), std::move(how));
}

io::task<store::result<void>> keeper::write(std::function<store::result<void>(store::store&)> job) {
    return state::write(state_, std::move(job));
}

const keeper_counters& keeper::counters() const {
    state_->counters.queued = state_->inside;
    state_->counters.queued_bytes = state_->bytes;
    return state_->counters;
}

io::task<> keeper::drain() {
    return state::drain(state_);
}

} // namespace mailtight::intake
