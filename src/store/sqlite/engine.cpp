// SPDX-License-Identifier: Apache-2.0
// One entry, connect(). Statements are prepared once a connection and found again by their text.
#include "store/sqlite/engine.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <unordered_map>

namespace mailtight::store::sqlite {
namespace {

store_error::kind kind_of(int code, int system_error) {
    if (system_error == ENOSPC || system_error == EDQUOT)
        return store_error::kind::full;
    switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_READONLY:
        return store_error::kind::full;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return store_error::kind::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return store_error::kind::damaged;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_PERM:
    case SQLITE_NOMEM:
        return store_error::kind::unreachable;
    default:
        return store_error::kind::wrong;
    }
}

constexpr sqlite3_int64 pages_of_all = 96 << 20;

struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

class statement_row final : public sql::row {
public:
    explicit statement_row(sqlite3_stmt* of)
        : of_(of) {}
    bool null(int column) const override { return sqlite3_column_type(of_, column) == SQLITE_NULL; }
    std::int64_t integer(int column) const override { return sqlite3_column_int64(of_, column); }
    std::string_view text(int column) const override {
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(of_, column));
        return bytes ? std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(of_, column)))
                     : std::string_view();
    }

private:
    sqlite3_stmt* of_;
};

class file final : public sql::connection {
public:
    explicit file(const open_options& options);
    ~file() override;
    file(const file&) = delete;
    file& operator=(const file&) = delete;

    void begin(sql::access how) override {
        if (!relaxed_ && how != sql::access::read && (how == sql::access::write_light) != light_) {
            synchronous(light_);
            light_ = !light_;
        }
        run(how == sql::access::read ? "begin" : "begin immediate", {});
    }
    void commit() override { run("commit", {}); }
    void rollback() noexcept override {
        if (!sqlite3_get_autocommit(db_))
            sqlite3_exec(db_, "rollback", nullptr, nullptr, nullptr);
    }
    void run(std::string_view statement, std::span<const sql::value> with) override {
        step_through(statement, with, nullptr);
    }
    void query(std::string_view statement, std::span<const sql::value> with,
               const sql::take_row& take) override {
        step_through(statement, with, [&](const sql::row& r) { take(r); });
    }
    void query_each(std::string_view statement, std::span<const sql::values> with,
                    const std::function<void(std::size_t, const sql::row&)>& take) override {
        for (std::size_t i = 0; i < with.size(); ++i)
            step_through(statement, with[i], [&](const sql::row& r) { take(i, r); });
    }
    std::vector<std::int64_t> reserve_report_numbers(std::size_t how_many) override;
    void hold(bool) override {} // whoever writes is alone
    std::string dialect(std::string_view statement) const override;
    bool adds_up() const override { return false; }
    void lock_schema() override {} // begin immediate has
    std::uint64_t bytes_used() override;
    void sync(std::string_view small_write) override;

private:
    template<class Take>
    void step_through(std::string_view statement, std::span<const sql::value> with, Take take);
    sqlite3_stmt* prepared(std::string_view statement);
    [[noreturn]] void fail(std::string_view doing) const;
    void pragma(const char* text);
    /// Whether the WAL is synced at each commit.
    void synchronous(bool each_commit) {
        pragma(each_commit ? "pragma synchronous = full" : "pragma synchronous = normal");
    }

    sqlite3* db_ = nullptr;
    std::string path_;
    bool relaxed_ = false;
    bool light_ = false; ///< commits are not synced just now
    std::unordered_map<std::string, sqlite3_stmt*, text_hash, std::equal_to<>> statements_;
};

// SQLite would make the file readable to all, and as root it would belong to root: nobody else could go on.
void make_private(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0)
        return; // it is there, or SQLite will say what is wrong
    struct stat folder{};
    auto parent = std::filesystem::path(path).parent_path();
    if (::geteuid() == 0 && ::stat(parent.empty() ? "." : parent.c_str(), &folder) == 0 &&
        folder.st_uid != 0 && ::fchown(fd, folder.st_uid, folder.st_gid) != 0) {
        ::close(fd);
        ::unlink(path.c_str());
        throw sql::failure{
            .error = {.what = store_error::kind::wrong,
                      .message = fmt::format("{}: cannot be given to the owner of its folder", path)}};
    }
    ::close(fd);
}

file::file(const open_options& options)
    : path_(options.where)
    , relaxed_(options.relaxed) {
    if (options.create && !options.read_only && path_ != ":memory:")
        make_private(path_);
    const int flags = options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (sqlite3_open_v2(path_.c_str(), &db_, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr) !=
        SQLITE_OK) {
        const store_error error{.what = db_ ? kind_of(sqlite3_errcode(db_), sqlite3_system_errno(db_))
                                            : store_error::kind::unreachable,
                                .message =
                                    fmt::format("{}: {}", path_, db_ ? sqlite3_errmsg(db_) : "no memory")};
        sqlite3_close_v2(db_);
        throw sql::failure{.error = error};
    }
    try {
        sqlite3_busy_timeout(db_, static_cast<int>(options.wait_for_lock.count()));
        sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
        if (!options.read_only) {
            pragma("pragma journal_mode = wal");
            synchronous(!options.relaxed);
            pragma("pragma wal_autocheckpoint = 4000");
            pragma("pragma journal_size_limit = 67108864");
        }
        pragma("pragma temp_store = memory");
        pragma("pragma cache_size = -32768");
        pragma("pragma trusted_schema = off");
    } catch (...) {
        sqlite3_close_v2(db_);
        throw;
    }
}

file::~file() {
    for (const auto& [text, statement] : statements_)
        sqlite3_finalize(statement);
    sqlite3_close_v2(db_);
}

void file::fail(std::string_view doing) const {
    const int code = sqlite3_extended_errcode(db_);
    throw sql::failure{.error = {.what = kind_of(code, sqlite3_system_errno(db_)),
                                 .message = fmt::format("{}: {} ({}){}{}", path_, sqlite3_errmsg(db_), code,
                                                        doing.empty() ? "" : " at: ", doing.substr(0, 200))}};
}

void file::pragma(const char* text) {
    if (sqlite3_exec(db_, text, nullptr, nullptr, nullptr) != SQLITE_OK)
        fail(text);
}

sqlite3_stmt* file::prepared(std::string_view statement) {
    if (const auto found = statements_.find(statement); found != statements_.end())
        return found->second;
    std::string text(statement);
    for (char& c : text)
        if (c == '$') // ?n is bound by number, $n would be a name
            c = '?';
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v3(db_, text.c_str(), static_cast<int>(text.size()), SQLITE_PREPARE_PERSISTENT, &made,
                           nullptr) != SQLITE_OK)
        fail(text);
    if (statements_.size() > 300) { // questions with many filters make many texts
        for (const auto& [old, kept] : statements_)
            sqlite3_finalize(kept);
        statements_.clear();
    }
    statements_.emplace(statement, made);
    return made;
}

template<class Take>
void file::step_through(std::string_view statement, std::span<const sql::value> with, Take take) {
    sqlite3_stmt* const s = prepared(statement);
    int position = 0;
    for (const auto& v : with) {
        ++position;
        const auto bytes = v.view();
        switch (v.what()) {
        case sql::value::kind::null:
            sqlite3_bind_null(s, position);
            break;
        case sql::value::kind::integer:
            sqlite3_bind_int64(s, position, v.number());
            break;
        case sql::value::kind::text:
            sqlite3_bind_text64(s, position, bytes.data() ? bytes.data() : "", bytes.size(), SQLITE_STATIC,
                                SQLITE_UTF8);
            break;
        case sql::value::kind::blob:
            sqlite3_bind_blob64(s, position, bytes.data() ? bytes.data() : "", bytes.size(), SQLITE_STATIC);
            break;
        }
    }
    struct reset {
        sqlite3_stmt* of;
        ~reset() {
            sqlite3_reset(of);
            sqlite3_clear_bindings(of);
        }
    } const at_end{s};
    const statement_row now(s);
    for (;;) {
        const int code = sqlite3_step(s);
        if (code == SQLITE_DONE)
            return;
        if (code != SQLITE_ROW)
            fail(statement);
        if constexpr (!std::is_same_v<Take, std::nullptr_t>)
            take(now);
    }
}

std::vector<std::int64_t> file::reserve_report_numbers(std::size_t how_many) {
    std::vector<std::int64_t> out(how_many);
    const auto last =
        number("update setting set value = value + $1 where name = 'next_report' returning value",
               {std::uint64_t{how_many}})
            .value_or(0);
    for (std::size_t i = 0; i < how_many; ++i)
        out[i] = last - static_cast<std::int64_t>(how_many - 1 - i);
    return out;
}

std::string file::dialect(std::string_view statement) const {
    static constexpr std::pair<std::string_view, std::string_view> words[] = {
        {"{serial}", "integer primary key"},
        {"{number_key}", "integer primary key"},
        {"{blob}", "blob"},
        {"{clustered}", "without rowid"},
        {"{numbers}", "select 1"}, // the setting next_report
        {"{counting}", "integer primary key autoincrement"},
        {"{for_update}", ""}, // begin immediate has
        {"{for_share}", ""},
        {"{for_update_free}", ""},
        {"{bytewise}", ""}, // it always is
        {"{now_ms}", "cast((julianday('now') - 2440587.5) * 86400000 as integer)"},
        {"{has_table}", "select 1 from sqlite_master where type = 'table' and name ="}};
    std::string out(statement);
    for (const auto& [mark, word] : words)
        for (auto at = out.find(mark); at != std::string::npos; at = out.find(mark, at + word.size()))
            out.replace(at, mark.size(), word);
    return out;
}

// One commit that is synced syncs all before it: they stand in the same log.
void file::sync(std::string_view small_write) {
    if (!relaxed_)
        return;
    struct relax_again {
        file& of;
        ~relax_again() { sqlite3_exec(of.db_, "pragma synchronous = normal", nullptr, nullptr, nullptr); }
    } const at_end{*this};
    synchronous(true);
    step_through(small_write, {}, nullptr);
}

std::uint64_t file::bytes_used() {
    std::uint64_t bytes = 0;
    for (const auto* end : {"", "-wal"}) {
        std::error_code problem;
        if (const auto size = std::filesystem::file_size(path_ + end, problem); !problem)
            bytes += size;
    }
    return bytes;
}

} // namespace

std::unique_ptr<sql::connection> connect(const open_options& options) {
    // A daemon has eight connections, each of which may keep 32 MB of pages: beyond this much, all together,
    // each reuses its own.
    static const auto before = sqlite3_soft_heap_limit64(pages_of_all);
    static_cast<void>(before);
    return std::make_unique<file>(options);
}

} // namespace mailtight::store::sqlite
