// SPDX-License-Identifier: Apache-2.0
// Watches a maildir or an mbox. What touches the disk runs on a thread of its own, in chunks of bounded size;
// a mail is marked, moved or removed, and the place in an mbox noted, only after the commit, so that a crash
// at any moment brings a mail once more (the store knows it again) and never loses one.
#include "base/text.h"
#include "intake/folder_wait.h"
#include "intake/maildir.h"
#include "intake/mbox_file.h"
#include "intake/mbox_lock.h"
#include "intake/ways_in.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include <unistd.h>

namespace mailtight::intake {

namespace {

constexpr std::size_t mail_bytes = 25 * 1024 * 1024;
constexpr std::size_t chunk_mails = 256, chunk_bytes = 32 * 1024 * 1024, listed_mails = 20'000;
constexpr auto unreadable_wait =
    std::chrono::hours(1); ///< before a mail is tried again that could not be read

struct read_mail {
    maildir_mail file;     ///< maildir
    std::uint64_t end = 0; ///< mbox: where the next begins
    std::string bytes, error;
};
struct chunk {
    std::vector<read_mail> mails;
    mbox_place place; ///< mbox: where it was read from
    bool more = false;
    std::string error;
    bool locked = false;   ///< mbox: somebody writes, or keeps it
    std::string waits_for; ///< who, where that takes long
};

/// What is watched may be made by the first delivery: it is waited for, and no fault.
bool not_there_yet(const std::string& path) {
    std::error_code unknown;
    return std::filesystem::status(path, unknown).type() == std::filesystem::file_type::not_found;
}

/// The next unread mails, as many as fit.
chunk read_maildir(const std::string& maildir, const std::unordered_set<std::string>& passed_over) {
    chunk out;
    if (not_there_yet(maildir))
        return out;
    auto unread = unread_mails(maildir, passed_over, listed_mails);
    if (!unread) {
        out.error = unread.error();
        return out;
    }
    std::size_t bytes = 0;
    for (auto& mail : *unread) {
        if (out.mails.size() >= chunk_mails || bytes >= chunk_bytes) {
            out.more = true;
            break;
        }
        read_mail next{std::move(mail), 0, {}, {}};
        const auto path = maildir + "/" + next.file.sub + "/" + next.file.name;
        auto file = open_regular(path, follow_links::no);
        if (!file) {
            next.error = file.error();
        } else if (auto rest = read_rest(file->handle, next.bytes, mail_bytes); !rest) {
            next.error = rest.error();
            next.bytes.clear();
        }
        bytes += next.bytes.size();
        out.mails.push_back(std::move(next));
    }
    return out;
}

chunk read_mbox(const std::string& path, mbox_place place, mbox_wait wait) {
    chunk out;
    if (not_there_yet(path)) {
        out.place = place;
        return out;
    }
    auto file = open_regular(path, follow_links::yes);
    if (!file) {
        out.error = fmt::format("{}: {}", path, file.error());
        return out;
    }
    auto lock = find_mbox_lock(path, wait);
    if (!lock) {
        auto taken = lock_for_reading(file->handle, path, wait);
        if (!taken) {
            out.error = taken.error();
            return out;
        }
        lock = *taken;
    }
    if (lock) {
        out.place = place;
        out.locked = true;
        out.waits_for = lock->trouble;
        return out; // it is being written: the next round will do
    }
    // Another file, a shorter one, or other bytes before the place: it was rotated or cut, and begins anew.
    const auto size = static_cast<std::uint64_t>(file->facts.st_size);
    if (place.inode != file->facts.st_ino || place.offset > size ||
        place.before != digest_before(file->handle, place.offset))
        place = {file->facts.st_ino, 0, digest_before(file->handle, 0)};
    out.place = place;
    if (::lseek(file->handle.get(), static_cast<off_t>(place.offset), SEEK_SET) < 0) {
        out.error = last_system_error();
        return out;
    }
    mbox_reader reader(std::move(file->handle), place.offset, mail_bytes);
    std::size_t bytes = 0;
    for (mbox_message message; out.mails.size() < chunk_mails && bytes < chunk_bytes;) {
        if (!reader.next(message)) {
            out.error = reader.error();
            return out;
        }
        bytes += message.bytes.size();
        out.mails.push_back({{}, message.end, std::move(message.bytes), std::move(message.error)});
    }
    out.more = true;
    return out;
}

} // namespace

struct folder_intake::state {
    state(io::loop& on, keeper& kept_by, const base::clock& time, folder_intake_options given)
        : loop(on)
        , into(kept_by)
        , clock(time)
        , options(std::move(given))
        , is_mbox(options.maildir.empty())
        , waiting(is_mbox ? std::filesystem::absolute(options.mbox).parent_path().string()
                          : options.maildir + "/new",
                  is_mbox ? std::filesystem::path(options.mbox).filename().string() : "")
        , disk(on, is_mbox ? "mbox" : "maildir") {
        status.name = is_mbox ? "mbox" : "maildir";
        status.where = is_mbox ? options.mbox : options.maildir;
    }

    io::loop& loop;
    keeper& into;
    const base::clock& clock;
    folder_intake_options options;
    bool is_mbox, stopping = false;
    way_status status;
    std::optional<base::utc_seconds> locked_since; ///< mbox: not to be read at any round from then on
    maildir_end end;
    std::unordered_set<std::string> passed_over; ///< in the maildir, no report in it: left for a person
    std::vector<std::string> unreadable;         ///< of these: tried once more at `again_at`
    base::utc_seconds again_at{};
    folder_wait waiting;
    io::worker disk; ///< last: it ends before what it uses

    void pass_over(const maildir_mail& mail) {
        if (passed_over.size() >= listed_mails) // they are read once more, no worse
            passed_over.clear(), unreadable.clear();
        passed_over.insert(mail.unique());
    }
    /// A disk, a quota or the rights of a file are wrong for a while as a rule, and the mail is acknowledged.
    void pass_over_unreadable(const maildir_mail& mail) {
        if (unreadable.empty())
            again_at = clock.now() + unreadable_wait;
        pass_over(mail);
        unreadable.push_back(mail.unique());
    }
    void try_unreadable() {
        if (unreadable.empty() || clock.now() < again_at)
            return;
        for (const auto& name : unreadable)
            passed_over.erase(name);
        unreadable.clear();
    }
    void failed(std::string why) {
        status.last_error = std::move(why);
        status.last_error_at = clock.now();
    }
    circumstances how(const read_mail& mail) const {
        circumstances out;
        out.way = is_mbox ? model::way_in::mbox : model::way_in::maildir;
        out.source = is_mbox ? fmt::format("{} to {}", options.mbox, mail.end)
                             : options.maildir + "/" + mail.file.sub + "/" + mail.file.name;
        out.by_administrator = options.by_administrator;
        return out;
    }

    enum class round { idle, more, failed };
    static io::task<round> maildir_round(std::shared_ptr<state> self);
    static io::task<round> mbox_round(std::shared_ptr<state> self);
    static io::task<std::vector<kept>> keep_all(std::shared_ptr<state> self, chunk& what);
    static io::task<store::result<std::string>> read_place(std::shared_ptr<state> self);
    static io::task<store::result<void>> write_place(std::shared_ptr<state> self, std::string place);
    static io::task<> run(std::shared_ptr<state> self);
    std::string fact_name() const { return "mbox:" + options.mbox; }
    void count(const kept& fate, const read_mail& mail);
};

io::task<std::vector<kept>> folder_intake::state::keep_all(std::shared_ptr<state> self, chunk& what) {
    std::vector<io::task<kept>> keeping;
    for (auto& mail : what.mails)
        if (mail.error.empty())
            keeping.push_back(self->into.keep(std::move(mail.bytes), self->how(mail)));
    auto fates = co_await io::when_all(self->loop, std::move(keeping));
    std::vector<kept> out;
    std::size_t next = 0;
    for (const auto& mail : what.mails) {
        if (mail.error.empty()) {
            out.push_back(std::move(fates[next++]));
        } else { // unreadable: passed over, as what holds no report
            kept unread;
            unread.what = kept::fate::none;
            unread.why = mail.error;
            out.push_back(std::move(unread));
        }
    }
    for (std::size_t i = 0; i < out.size(); ++i)
        self->count(out[i], what.mails[i]);
    co_return out;
}

void folder_intake::state::count(const kept& fate, const read_mail& mail) {
    if (fate.what == kept::fate::stored) {
        ++status.accepted;
        return;
    }
    if (fate.what == kept::fate::none)
        ++status.refused;
    failed(fmt::format("{}: {}", how(mail).source, fate.why));
}

io::task<folder_intake::state::round> folder_intake::state::maildir_round(std::shared_ptr<state> self) {
    auto* const of = self.get();
    self->try_unreadable();
    auto found =
        co_await self->disk.run<chunk>([of] { return read_maildir(of->options.maildir, of->passed_over); });
    if (!found.error.empty()) {
        self->failed(found.error);
        co_return round::failed;
    }
    if (found.mails.empty()) {
        self->status.last_success = self->clock.now();
        co_return round::idle;
    }
    const auto fates = co_await keep_all(self, found);
    std::vector<maildir_mail> done;
    bool again = false;
    for (std::size_t i = 0; i < fates.size(); ++i) {
        auto& file = found.mails[i].file;
        if (fates[i].what == kept::fate::stored)
            done.push_back(std::move(file));
        else if (!found.mails[i].error.empty())
            self->pass_over_unreadable(file);
        else if (fates[i].what == kept::fate::none)
            self->pass_over(file);
        else
            again = true;
    }
    const auto error = co_await self->disk.run<std::string>([of, &done] {
        for (const auto& mail : done)
            if (auto settled = settle_mail(of->options.maildir, mail, of->end); !settled)
                return settled.error();
        return std::string();
    });
    if (!error.empty())
        self->failed(error);
    again = again || !error.empty();
    if (!again)
        self->status.last_success = self->clock.now();
    co_return again ? round::failed : found.more ? round::more : round::idle;
}

io::task<store::result<std::string>> folder_intake::state::read_place(std::shared_ptr<state> self) {
    auto text = std::make_shared<std::string>();
    auto asked =
        co_await self->into.write([text, name = self->fact_name()](store::store& in) -> store::result<void> {
            auto fact = in.fact(name);
            if (!fact)
                return std::unexpected(fact.error());
            *text = fact->value_or("");
            return {};
        });
    if (!asked)
        co_return std::unexpected(asked.error());
    co_return *text;
}

io::task<store::result<void>> folder_intake::state::write_place(std::shared_ptr<state> self,
                                                                std::string place) {
    return self->into.write([place = std::move(place), name = self->fact_name()](store::store& in) {
        return in.set_fact(name, place);
    });
}

io::task<folder_intake::state::round> folder_intake::state::mbox_round(std::shared_ptr<state> self) {
    auto* const of = self.get();
    const auto known = co_await read_place(self);
    if (!known) {
        self->failed(known.error().message);
        co_return round::failed;
    }
    const auto from = mbox_place::parse(*known);
    const auto now = self->clock.now();
    const mbox_wait wait{self->locked_since.value_or(now), now};
    auto found =
        co_await self->disk.run<chunk>([of, &from, wait] { return read_mbox(of->options.mbox, from, wait); });
    self->locked_since = found.locked ? std::optional(wait.since) : std::nullopt;
    if (const auto& why = found.error.empty() ? found.waits_for : found.error; !why.empty())
        self->failed(why);
    auto place = found.place;
    const auto fates = co_await keep_all(self, found);
    bool again = !found.error.empty();
    for (std::size_t i = 0; i < fates.size() && fates[i].what != kept::fate::later; ++i)
        place.offset = found.mails[i].end;
    again =
        again || std::ranges::any_of(fates, [](const kept& fate) { return fate.what == kept::fate::later; });
    if (found.place.inode != 0 && (place.offset != from.offset || place.inode != from.inode)) {
        place.before = co_await self->disk.run<std::string>([of, &place] {
            const auto file = open_regular(of->options.mbox, follow_links::yes);
            return file ? digest_before(file->handle, place.offset) : std::string("-");
        });
        const auto noted = co_await write_place(self, place.to_string());
        if (!noted)
            self->failed(noted.error().message);
        again = again || !noted;
    }
    if (!again && !found.locked)
        self->status.last_success = self->clock.now();
    co_return again ? round::failed : found.more ? round::more : round::idle;
}

io::task<> folder_intake::state::run(std::shared_ptr<state> self) {
    auto* const of = self.get();
    const auto end = parse_maildir_end(self->options.after);
    if (!self->is_mbox && !end) {
        self->failed(end.error());
        co_return;
    }
    if (end)
        self->end = *end;
    self->status.running = true;
    while (!self->stopping) {
        const auto result = self->is_mbox ? co_await mbox_round(self) : co_await maildir_round(self);
        if (result == round::more || self->stopping)
            continue;
        // After a failure nothing but time helps.
        co_await self->disk.run<bool>([of, watch = result == round::idle] {
            of->waiting.wait(of->options.interval, watch);
            return true;
        });
    }
    self->status.running = false;
}

folder_intake::folder_intake(io::loop& on, keeper& into, const base::clock& clock,
                             folder_intake_options options)
    : state_(std::make_shared<state>(on, into, clock, std::move(options))) {}

folder_intake::~folder_intake() {
    stop();
    state_->disk.rest(); // nothing of ours is at the disk when the program ends
}

io::task<> folder_intake::run() {
    return state::run(state_);
}

void folder_intake::stop() {
    state_->stopping = true;
    state_->waiting.wake();
}

way_status folder_intake::status() const {
    return state_->status;
}

} // namespace mailtight::intake
