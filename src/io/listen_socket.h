// SPDX-License-Identifier: Apache-2.0
// Makes sockets that others come to, or takes those of the service manager. For io/ alone.
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
    bool note_file(const std::string& path); ///< false, with errno, where it is not there
};
std::expected<listen_socket, std::string> open_listen_socket(const listen_address& at, int backlog);

struct datagram_socket_options {
    std::string path;
    unsigned permissions = 0622;
    std::string owner, group; ///< "" : as it comes
};
/// A bound socket of unix datagrams. Directories that are missing are made, a stale file is replaced, one
/// that somebody reads from is an error.
std::expected<listen_socket, std::string> open_datagram_socket(const datagram_socket_options& options);
/// Takes over a descriptor, once it is seen to be such a socket.
std::expected<listen_socket, std::string> inherit_datagram_socket(int socket);
/// Where a unix socket is bound; "" where it has no name.
std::string unix_path_of(int socket);

/// Reads who connected.
peer peer_of(int socket);

} // namespace mailtight::io
