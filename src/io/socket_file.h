// SPDX-License-Identifier: Apache-2.0
// The file of a unix socket: what lies in its way, the directories above it, whose it is. For io/ alone;
// blocks. Errors are for a person.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>

namespace mailtight::io {

inline constexpr std::size_t socket_path_most = sizeof(sockaddr_un{}.sun_path) - 1;

/// The path must fit (socket_path_most).
sockaddr_un unix_address_of(const std::string& path);

/// Removes a socket's file that nobody listens at any more; one that is in use, or that is no socket, is
/// left alone. 0, or why it cannot be replaced. `type` as for socket(2).
int clear_stale_socket(const std::string& path, int type);

/// Makes the directories above the file that are missing, so that every user may pass through them.
std::optional<std::string> make_folders_above(const std::string& path);

/// Gives the file to these, named or as numbers; "" : stays.
std::optional<std::string> give_file(const std::string& path, const std::string& owner,
                                     const std::string& group);

} // namespace mailtight::io
