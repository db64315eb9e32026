// SPDX-License-Identifier: Apache-2.0
#include "unit/store/engines.h"

#include "support/postgres.h"

namespace mailtight::store {

database::database(engine of) {
    if (of == engine::sqlite) {
        where_ = (folder_.path() / "store.db").string();
        return;
    }
    name_ = tests::private_postgres::create_database();
    where_ = tests::private_postgres::where(name_);
}

database::~database() {
    if (!name_.empty())
        tests::private_postgres::drop_database(name_);
}

std::unique_ptr<store> database::open(bool read_only) const {
    auto opened = mailtight::store::open({.where = where_, .read_only = read_only});
    if (!opened) {
        ADD_FAILURE() << opened.error().message;
        throw std::runtime_error(opened.error().message);
    }
    return std::move(*opened);
}

} // namespace mailtight::store
