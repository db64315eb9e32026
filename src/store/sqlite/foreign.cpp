// SPDX-License-Identifier: Apache-2.0
// postfix-mta-sts-resolver's cache, from 0.7 to 1.5: one table, `sts_policy_cache (domain, ts, pol_id,
// pol_body)`. The file is somebody else's: it is never written, views and triggers in it are not run, a read
// takes bounded time and memory.
#include "store/policies.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <filesystem>
#include <system_error>

namespace mailtight::store {
namespace {

constexpr int value_max = 1'048'576; // SQLite refuses a longer one while it reads
constexpr std::size_t domain_max = 1'024, id_max = 1'024, body_max = 262'144;
constexpr std::size_t bytes_max = 1'024u << 20;                  // of all rows together
constexpr int steps_between_looks = 100'000, looks_max = 20'000; // some minutes

store_error unreadable(store_error::kind what, const std::string& path, std::string_view why) {
    return {.what = what, .message = fmt::format("{}: {}", path, why)};
}

class foreign_file {
public:
    explicit foreign_file(const std::string& path)
        : path_(path) {}
    ~foreign_file() {
        sqlite3_finalize(now_);
        sqlite3_close_v2(db_);
    }
    foreign_file(const foreign_file&) = delete;
    foreign_file& operator=(const foreign_file&) = delete;

    result<void> open();
    result<void> is_the_cache();
    result<std::vector<foreign_policy>> read();

private:
    store_error failed() const {
        const int code = sqlite3_errcode(db_);
        using enum store_error::kind;
        const auto what = code == SQLITE_NOTADB || code == SQLITE_CORRUPT || code == SQLITE_TOOBIG ? damaged
                          : code == SQLITE_BUSY                                                    ? busy
                          : code == SQLITE_CANTOPEN || code == SQLITE_IOERR || code == SQLITE_PERM
                              ? unreachable
                              : wrong;
        return unreadable(what, path_,
                          code == SQLITE_INTERRUPT ? "takes too long to read" : sqlite3_errmsg(db_));
    }
    bool prepare(const char* text) {
        sqlite3_finalize(std::exchange(now_, nullptr));
        return sqlite3_prepare_v2(db_, text, -1, &now_, nullptr) == SQLITE_OK;
    }
    std::string_view text(int column) const {
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(now_, column));
        return bytes ? std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(now_, column)))
                     : std::string_view();
    }

    std::string path_;
    sqlite3* db_ = nullptr;
    sqlite3_stmt* now_ = nullptr;
    int looks_ = 0;
};

result<void> foreign_file::open() {
    std::error_code problem;
    if (!std::filesystem::is_regular_file(path_, problem)) // a pipe would be waited for
        return std::unexpected(
            unreadable(store_error::kind::unreachable, path_, problem ? problem.message() : "not a file"));
    if (sqlite3_open_v2(path_.c_str(), &db_, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr) !=
        SQLITE_OK)
        return std::unexpected(db_ ? failed()
                                   : unreadable(store_error::kind::unreachable, path_, "no memory"));
    sqlite3_busy_timeout(db_, 5'000); // its daemon may be at work
    sqlite3_limit(db_, SQLITE_LIMIT_LENGTH, value_max);
    sqlite3_limit(db_, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    for (const auto* setting :
         {"pragma query_only = on", "pragma cell_size_check = on", "pragma mmap_size = 0"})
        if (sqlite3_exec(db_, setting, nullptr, nullptr, nullptr) != SQLITE_OK)
            return std::unexpected(failed());
    sqlite3_progress_handler(
        db_, steps_between_looks,
        [](void* self) { return ++static_cast<foreign_file*>(self)->looks_ > looks_max ? 1 : 0; }, this);
    return {};
}

result<void> foreign_file::is_the_cache() {
    if (!prepare("select 1 from sqlite_master where type = 'table' and name = 'sts_policy_cache' "
                 "and sql not like 'create virtual%'"))
        return std::unexpected(failed());
    const int code = sqlite3_step(now_);
    if (code == SQLITE_ROW)
        return {};
    if (code != SQLITE_DONE)
        return std::unexpected(failed());
    return std::unexpected(unreadable(store_error::kind::wrong, path_,
                                      "a database, but not the cache of postfix-mta-sts-resolver (no table "
                                      "sts_policy_cache in it)"));
}

result<std::vector<foreign_policy>> foreign_file::read() {
    if (!prepare("select domain, ts, pol_id, pol_body from sts_policy_cache"))
        return std::unexpected(failed());
    std::vector<foreign_policy> out;
    std::size_t bytes = 0;
    for (int code = 0; (code = sqlite3_step(now_)) != SQLITE_DONE;) {
        if (code != SQLITE_ROW)
            return std::unexpected(failed());
        const auto domain = text(0), id = text(2), body = text(3);
        if (domain.empty() || domain.size() > domain_max || id.size() > id_max || body.size() > body_max)
            continue;
        bytes += domain.size() + id.size() + body.size() + sizeof(foreign_policy);
        if (out.size() >= foreign_rows || bytes > bytes_max)
            return std::unexpected(
                unreadable(store_error::kind::wrong, path_, "more rows than a cache can have"));
        out.push_back({.domain = std::string(domain),
                       .id = std::string(id),
                       .body_or_json = std::string(body),
                       .fetched_at = base::utc_seconds(std::chrono::seconds(sqlite3_column_int64(now_, 1)))});
    }
    return out;
}

} // namespace

result<std::vector<foreign_policy>> read_foreign_cache(const std::string& path) {
    foreign_file file(path);
    if (const auto opened = file.open(); !opened)
        return std::unexpected(opened.error());
    if (const auto known = file.is_the_cache(); !known)
        return std::unexpected(known.error());
    return file.read();
}

} // namespace mailtight::store
