// SPDX-License-Identifier: Apache-2.0
// Chooses the engine, brings the schema up to date, hands out the store.
#include "store/postgres/engine.h"
#include "store/schema.h"
#include "store/sql_store.h"
#include "store/sqlite/engine.h"

namespace mailtight::store {

bool is_postgres(std::string_view where) {
    if (where.starts_with("postgresql://") || where.starts_with("postgres://"))
        return true;
    // `host=... dbname=...`: a word of libpq and an equals sign before any slash.
    const auto equals = where.find('=');
    if (equals == std::string_view::npos || where.substr(0, equals).find('/') != std::string_view::npos)
        return false;
    const auto word = where.substr(0, equals);
    for (const std::string_view known : {"host", "hostaddr", "port", "dbname", "user", "service", "sslmode"})
        if (word == known)
            return true;
    return false;
}

result<std::unique_ptr<store>> open(const open_options& options) {
    try {
        auto on = is_postgres(options.where) ? postgres::connect(options) : sqlite::connect(options);
        if (options.read_only)
            require_current(*on, reports_schema());
        else
            migrate(*on, reports_schema());
        return std::make_unique<sql_store>(std::move(on));
    } catch (const sql::failure& f) {
        return std::unexpected(f.error);
    }
}

} // namespace mailtight::store
