// SPDX-License-Identifier: Apache-2.0
// Where the store is, and how a command comes to it: to read beside a running daemon, or to write alone,
// under the store's lock and leaving its files to their owner. Errors are for a person.
#pragma once

#include "app/settings.h"
#include "store/store.h"

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::app {

/// Where it is for who is not root: below $XDG_STATE_HOME.
std::string user_store_place();
/// store.where; else a file in $STATE_DIRECTORY (systemd), in /var/lib/mailtight for root and for who may
/// read it there, else in the user's state directory.
std::string store_place(const settings& from);

/// The same, where something can be asked there: an SQLite file that is there and may be read. The error says
/// how to begin: who makes the store.
std::expected<std::string, std::string> place_to_ask(const settings& from,
                                                     std::string_view maker = "mailtight serve");
/// True where no store was made yet: a list is empty then, and that is no error.
bool no_store_yet(const settings& from);
/// The store where there is one that can be read, else nullptr: for answers that it only adds to.
std::unique_ptr<store::store> open_if_there(const settings& from);
/// For questions. A store that is not there yet is an error that says how to begin.
std::expected<std::unique_ptr<store::store>, std::string> open_to_ask(const settings& from);

/// The right to write while no daemon does: a lock beside the SQLite file, held until this object goes. A
/// PostgreSQL database has many writers and needs none.
class write_lock {
public:
    static std::expected<write_lock, std::string> take(const settings& from);
    write_lock(write_lock&& other) noexcept;
    write_lock& operator=(write_lock&& other) noexcept;
    ~write_lock();

private:
    explicit write_lock(int fd)
        : fd_(fd) {}
    int fd_ = -1;
};

struct writable_store {
    write_lock lock;
    std::unique_ptr<store::store> opened;
    std::optional<store::store_error> away; ///< begin_to_write(): why `opened` is null
};
/// Locks, opens (makes it where it is missing) and, as root, gives new files to the owner of their directory.
std::expected<writable_store, std::string> open_to_write(const settings& from);
/// The same for who can begin without it: a database that is only away (store_error::again()) is no error.
std::expected<writable_store, std::string> begin_to_write(const settings& from);

/// reports.domains and those of reports.domains-file, as A-labels.
std::expected<std::vector<std::string>, std::string> our_domains(const settings& from);

/// Makes the folder of an SQLite file, so that it can be opened; the error is for a person.
std::expected<void, std::string> prepare_place(const std::string& place);
/// As root: the files of an SQLite store that were made just now belong to the owner of their folder.
void leave_to_owner(const std::string& place);

/// A store's place as it may be shown: without the password of a database.
std::string store_name(std::string_view place);

/// What went wrong with the store, for a person.
std::string words(const store::store_error& error);

} // namespace mailtight::app
