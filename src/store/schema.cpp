// SPDX-License-Identifier: Apache-2.0
// One entry, migrate(): looks without a lock whether there is anything to do, then takes the lock and looks
// again.
#include "store/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mailtight::store {
namespace {

sql::failure refused(store_error::kind what, std::string message) {
    return {.error = {.what = what, .message = std::move(message)}};
}

std::int64_t newest(const schema_part& part) {
    return std::ssize(part.steps);
}

void refuse_newer(std::int64_t version, const schema_part& part) {
    if (version > newest(part))
        throw refused(store_error::kind::newer,
                      fmt::format("the database was written by a later version of this program (its schema "
                                  "\"{}\" is version {}, known here is {}); use that version",
                                  part.name, version, newest(part)));
}

std::int64_t version_of(sql::connection& on, const schema_part& part) {
    return on.number("select version from schema_part where name = $1", {part.name}).value_or(0);
}

} // namespace

std::int64_t schema_version(sql::connection& on, const schema_part& part) {
    if (!on.number(on.dialect("{has_table} 'schema_part'")))
        return 0;
    return version_of(on, part);
}

void migrate(sql::connection& on, const schema_part& part, std::int64_t upto) {
    const auto target = upto > 0 ? upto : newest(part);
    const auto before = schema_version(on, part);
    refuse_newer(before, part);
    if (before >= target)
        return;
    for (bool more = true; more;) {
        sql::transaction step(on, sql::access::write);
        on.lock_schema();
        on.run("create table if not exists schema_part (name text primary key, version bigint not null)");
        auto version = version_of(on, part); // another process may have been faster
        refuse_newer(version, part);
        // A part that is new comes as a whole: who reads beside it finds nothing yet, never an earlier
        // version.
        const auto reached = version == 0 ? target : std::min(version + 1, target);
        for (; version < reached; ++version)
            for (const auto statement : part.steps[static_cast<std::size_t>(version)])
                on.run(on.dialect(statement));
        on.run("insert into schema_part (name, version) values ($1, $2) "
               "on conflict (name) do update set version = excluded.version",
               {part.name, version});
        step.commit();
        more = version < target;
    }
}

void require_current(sql::connection& on, const schema_part& part) {
    const auto version = schema_version(on, part);
    refuse_newer(version, part);
    if (version < newest(part))
        throw refused(version == 0 ? store_error::kind::nothing : store_error::kind::wrong,
                      version == 0
                          ? fmt::format("the database holds no {} yet", part.name)
                          : fmt::format("the database is of an earlier version (schema \"{}\" {}, known here "
                                        "is {}); open it once for writing to bring it up to date",
                                        part.name, version, newest(part)));
}

} // namespace mailtight::store
