// SPDX-License-Identifier: Apache-2.0
// Makes listening sockets, or takes those of the service manager. For io/ alone.
#pragma once

#include "io/descriptor.h"
#include "io/server.h"

#include <expected>
#include <string>

#include <sys/types.h>

namespace mailtight::io {

struct listen_socket {
    descriptor socket; ///< non-blocking, close-on-exec
    endpoint bound;    ///< TCP: with the port that was given
    /// unix, made by us: the file, to be removed at the end where it is still this one.
    std::string file;
    dev_t device = 0;
    ino_t inode = 0;
    void remove_file();
};
std::expected<listen_socket, std::string> open_listen_socket(const listen_address& at, int backlog);

/// Reads who connected.
peer peer_of(int socket);

} // namespace mailtight::io
