// SPDX-License-Identifier: Apache-2.0
// One entry, connect(). Everything goes through one queue: what was sent and still owes its results.
#include "store/postgres/engine.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <deque>
#include <unordered_map>

namespace mailtight::store::postgres {
namespace {

constexpr std::size_t owed_max = 512;        // results that may wait unread
constexpr std::size_t statements_most = 300; // prepared at once; each costs memory here and at the server
constexpr Oid oid_bytea = 17, oid_int8 = 20, oid_text = 25;
// The advisory locks of this product; any two numbers that nobody else uses.
constexpr std::int64_t lock_counting = 0x6d61696c'0001, lock_migration = 0x6d61696c'0002;

struct pg_result {
    PGresult* of;
    explicit pg_result(PGresult* r)
        : of(r) {}
    ~pg_result() { PQclear(of); }
    pg_result(const pg_result&) = delete;
    pg_result& operator=(const pg_result&) = delete;
};

std::uint64_t big_endian(const char* bytes) {
    std::uint64_t out = 0;
    for (int i = 0; i < 8; ++i)
        out = out << 8 | static_cast<unsigned char>(bytes[i]);
    return out;
}

class result_row final : public sql::row {
public:
    result_row(PGresult* of, int number)
        : of_(of)
        , number_(number) {}
    bool null(int column) const override { return PQgetisnull(of_, number_, column) != 0; }
    std::int64_t integer(int column) const override {
        const auto bytes = text(column);
        if (bytes.size() == 8)
            return static_cast<std::int64_t>(big_endian(bytes.data()));
        std::uint64_t out = 0; // `select 1` is an int4
        for (const char c : bytes)
            out = out << 8 | static_cast<unsigned char>(c);
        return static_cast<std::int64_t>(out);
    }
    std::string_view text(int column) const override {
        return {PQgetvalue(of_, number_, column),
                static_cast<std::size_t>(PQgetlength(of_, number_, column))};
    }

private:
    PGresult* of_;
    int number_;
};

store_error::kind kind_of(std::string_view state) {
    if (state == "53100" || state == "25006")
        return store_error::kind::full;
    if (state.empty() || state.starts_with("08") || state.starts_with("57P") || state.starts_with("53"))
        return store_error::kind::unreachable;
    if (state == "40001" || state == "40P01" || state == "55P03" || state == "57014")
        return store_error::kind::busy;
    if (state == "XX001" || state == "XX002")
        return store_error::kind::damaged;
    return store_error::kind::wrong;
}

struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

class server final : public sql::connection {
public:
    explicit server(const open_options& options)
        : options_(options) {
        open();
    }
    ~server() override = default;
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    using sql::connection::query;
    void begin(sql::access how) override;
    void commit() override;
    void rollback() noexcept override;
    void run(std::string_view statement, std::span<const sql::value> with) override {
        send(statement, with, nullptr, 0);
    }
    void query(std::string_view statement, std::span<const sql::value> with,
               const sql::take_row& take) override {
        const each_row each = [&](std::size_t, const sql::row& r) { take(r); };
        send(statement, with, &each, 0);
        settle();
    }
    void query_each(std::string_view statement, std::span<const sql::values> with,
                    const std::function<void(std::size_t, const sql::row&)>& take) override {
        for (std::size_t i = 0; i < with.size(); ++i)
            send(statement, with[i], &take, i);
        settle();
    }
    std::vector<std::int64_t> reserve_report_numbers(std::size_t how_many) override;
    void hold(bool alone) override;
    std::string dialect(std::string_view statement) const override;
    bool adds_up() const override { return true; }
    void lock_schema() override;
    void sync(std::string_view) override {} // each commit is
    std::uint64_t bytes_used() override {
        return static_cast<std::uint64_t>(number("select pg_database_size(current_database())").value_or(0));
    }

private:
    using each_row = std::function<void(std::size_t, const sql::row&)>;
    struct owed { // one result that is still to come
        const each_row* take = nullptr;
        std::size_t which = 0;
    };

    void open();
    void send(std::string_view statement, std::span<const sql::value> with, const each_row* take,
              std::size_t which);
    std::string prepared(std::string_view statement, std::span<const sql::value> with);
    void settle(); ///< reads everything that is owed
    sql::failure failure_of(const PGresult* result) const;
    [[noreturn]] void lost();
    void simple(const char* statement);

    open_options options_;
    struct finish {
        void operator()(PGconn* connection) const { PQfinish(connection); }
    };
    std::unique_ptr<PGconn, finish> held_;
    PGconn* db_ = nullptr; ///< held_, or nothing
    std::unordered_map<std::string, std::string, text_hash, std::equal_to<>> statements_;
    std::deque<owed> owed_;
    bool unsure_ = false;
};

void server::open() {
    statements_.clear();
    owed_.clear();
    unsure_ = false;
    // A server that is out of reach shall be noticed; what the operator wrote comes later and wins.
    static constexpr const char* words[] = {"connect_timeout", "tcp_user_timeout", "dbname", nullptr};
    const char* const settings[] = {"10", "30000", options_.where.c_str(), nullptr};
    held_.reset(PQconnectdbParams(words, settings, 1));
    db_ = held_.get();
    if (PQstatus(db_) != CONNECTION_OK)
        lost();
    PQsetNoticeProcessor(db_, [](void*, const char*) {}, nullptr);
    PQsetClientEncoding(db_, "UTF8");
    simple(fmt::format("set lock_timeout = {}", options_.wait_for_lock.count()).c_str());
    simple("set synchronous_commit = on"); // what is acknowledged is on the disk
    // Our statements are short: neither compiling one nor more processes for it are worth their start.
    simple("set jit = off; set max_parallel_workers_per_gather = 0");
    if (!PQenterPipelineMode(db_))
        lost();
}

void server::simple(const char* statement) {
    const pg_result done(PQexec(db_, statement));
    if (PQresultStatus(done.of) != PGRES_COMMAND_OK)
        throw failure_of(done.of);
}

void server::lost() {
    std::string message = db_ ? PQerrorMessage(db_) : "no memory";
    // libpq writes for a terminal: "… failed: Connection refused\n\tIs the server running …?\n".
    std::erase(message, '\t');
    while (!message.empty() && message.back() == '\n')
        message.pop_back();
    std::ranges::replace(message, '\n', ' ');
    owed_.clear();
    throw sql::failure{
        .error = {.what = store_error::kind::unreachable, .message = "PostgreSQL: " + message}};
}

sql::failure server::failure_of(const PGresult* result) const {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const std::string code = state ? state : "";
    return {.error = {.what = kind_of(code),
                      .message = fmt::format("PostgreSQL: {} ({})", message ? message : PQerrorMessage(db_),
                                             code.empty() ? "connection" : code)},
            .serialisation = code == "40001" || code == "40P01"};
}

void server::begin(sql::access how) {
    if (PQstatus(db_) != CONNECTION_OK)
        open();
    else if (unsure_)
        rollback();
    const bool writes = how != sql::access::read && !options_.read_only;
    const auto start = [&] {
        send(writes ? "begin isolation level read committed read write"
                    : "begin isolation level repeatable read read only",
             {}, nullptr, 0);
        if (writes) // a machine that vanishes in the middle shall not hold up the others for long
            send("set local idle_in_transaction_session_timeout = 60000", {}, nullptr, 0);
        if (writes && how == sql::access::write_light)
            send("set local synchronous_commit = off", {}, nullptr, 0);
        settle();
    };
    // The first statement of a connection that went away in the meantime tells so: nothing is lost yet.
    try {
        start();
    } catch (const sql::failure& f) {
        if (f.error.what != store_error::kind::unreachable)
            throw;
        open();
        start();
    }
}

void server::commit() {
    send("commit", {}, nullptr, 0);
    settle();
}

void server::rollback() noexcept {
    if (PQstatus(db_) != CONNECTION_OK)
        return;
    try {
        try {
            settle();
        } catch (const sql::failure&) { // told already, or of no more interest
        }
        for (const char* statement : {"rollback", "deallocate all"}) {
            if (PQsendQueryParams(db_, statement, 0, nullptr, nullptr, nullptr, nullptr, 1) != 1)
                lost();
            owed_.push_back({});
            settle();
        }
        statements_.clear();
        unsure_ = false;
    } catch (...) {
        held_.reset(); // whatever it was, a new connection starts clean
        db_ = nullptr;
    }
}

std::string server::prepared(std::string_view statement, std::span<const sql::value> with) {
    if (const auto found = statements_.find(statement); found != statements_.end())
        return found->second;
    if (statements_.size() >= statements_most) { // questions with many filters make many texts
        if (PQsendQueryParams(db_, "deallocate all", 0, nullptr, nullptr, nullptr, nullptr, 1) != 1)
            lost();
        owed_.push_back({});
        statements_.clear();
    }
    const auto name = fmt::format("s{}", statements_.size());
    std::vector<Oid> types;
    for (const auto& v : with)
        types.push_back(v.what() == sql::value::kind::integer ? oid_int8
                        : v.what() == sql::value::kind::text  ? oid_text
                        : v.what() == sql::value::kind::blob  ? oid_bytea
                                                              : 0);
    if (PQsendPrepare(db_, name.c_str(), std::string(statement).c_str(), static_cast<int>(types.size()),
                      types.data()) != 1)
        lost();
    owed_.push_back({});
    statements_.emplace(statement, name);
    return name;
}

void server::send(std::string_view statement, std::span<const sql::value> with, const each_row* take,
                  std::size_t which) {
    const auto name = prepared(statement, with);
    const auto count = with.size();
    std::vector<std::array<char, 8>> numbers(count);
    std::vector<const char*> at(count, nullptr);
    std::vector<int> lengths(count, 0), formats(count, 1);
    for (std::size_t i = 0; i < count; ++i) {
        const auto& v = with[i];
        if (v.what() == sql::value::kind::null)
            continue;
        if (v.what() == sql::value::kind::integer) {
            auto number = static_cast<std::uint64_t>(v.number());
            for (auto byte = numbers[i].rbegin(); byte != numbers[i].rend(); ++byte, number >>= 8)
                *byte = static_cast<char>(number & 0xff);
            at[i] = numbers[i].data();
            lengths[i] = 8;
        } else {
            at[i] = v.view().data() ? v.view().data() : "";
            lengths[i] = static_cast<int>(v.view().size());
        }
    }
    if (PQsendQueryPrepared(db_, name.c_str(), static_cast<int>(count), at.data(), lengths.data(),
                            formats.data(), 1) != 1)
        lost();
    owed_.push_back({.take = take, .which = which});
    if (owed_.size() >= owed_max) // so that neither side waits with full buffers
        settle();
}

// Up to the sync: after an error the server skips what was sent before it, so that the next statement starts
// clean.
void server::settle() {
    if (owed_.empty())
        return;
    if (PQpipelineSync(db_) != 1)
        lost();
    std::optional<sql::failure> failed;
    for (int ends = 0;;) {
        const pg_result got(PQgetResult(db_));
        if (!got.of) { // the end of one statement's results
            if (PQstatus(db_) != CONNECTION_OK || ++ends > 2)
                lost();
            continue;
        }
        ends = 0;
        const auto status = PQresultStatus(got.of);
        if (status == PGRES_PIPELINE_SYNC)
            break;
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            if (PQstatus(db_) != CONNECTION_OK)
                lost();
            if (!failed && status != PGRES_PIPELINE_ABORTED)
                failed = failure_of(got.of);
        }
        const auto now = owed_.empty() ? owed{} : owed_.front();
        if (!owed_.empty())
            owed_.pop_front();
        if (status == PGRES_TUPLES_OK && now.take && !failed)
            for (int i = 0; i < PQntuples(got.of); ++i)
                (*now.take)(now.which, result_row(got.of, i));
    }
    owed_.clear();
    if (failed) {
        unsure_ = true; // which of the statements were still prepared
        throw *failed;
    }
}

std::vector<std::int64_t> server::reserve_report_numbers(std::size_t how_many) {
    std::vector<std::int64_t> out;
    if (how_many > 0)
        query("select nextval('report_number') from generate_series(1, $1)", {std::uint64_t{how_many}},
              [&](const sql::row& r) { out.push_back(r.integer(0)); });
    return out;
}

void server::hold(bool alone) {
    query(alone ? "select pg_advisory_xact_lock($1)" : "select pg_advisory_xact_lock_shared($1)",
          {lock_counting}, [](const sql::row&) {});
}

void server::lock_schema() {
    query("select pg_advisory_xact_lock($1)", {lock_migration}, [](const sql::row&) {});
}

std::string server::dialect(std::string_view statement) const {
    static constexpr std::pair<std::string_view, std::string_view> words[] = {
        {"{serial}", "bigint generated by default as identity primary key"},
        {"{number_key}", "bigint primary key"},
        {"{blob}", "bytea"},
        {"{clustered}", ""},
        {"{numbers}", "create sequence report_number"},
        {"{counting}", "bigint generated by default as identity primary key"},
        {"{for_update}", "for update"},
        {"{for_share}", "for share"},
        {"{for_update_free}", "for update skip locked"},
        {"{bytewise}", "collate \"C\""},
        {"{now_ms}", "(extract(epoch from clock_timestamp()) * 1000)::bigint"},
        {"{has_table}", "select 1 from pg_catalog.pg_tables where schemaname = any (current_schemas(false)) "
                        "and tablename ="}};
    std::string out(statement);
    for (const auto& [mark, word] : words)
        for (auto at = out.find(mark); at != std::string::npos; at = out.find(mark, at + word.size()))
            out.replace(at, mark.size(), word);
    return out;
}

} // namespace

std::unique_ptr<sql::connection> connect(const open_options& options) {
    return std::make_unique<server>(options);
}

} // namespace mailtight::store::postgres
