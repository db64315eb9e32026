// SPDX-License-Identifier: Apache-2.0
// Real name servers for a test: Knot or BIND (tools/nameservers), in a folder of their own, on loopback
// addresses of one port; a primary that takes signed updates, and secondaries that follow it.
#pragma once

#include "io/resolver.h"
#include "support/scratch.h"

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace mailtight::tests {

enum class software { knot, bind };
const char* to_string(software s);

/// The root below which the programs lie.
std::string nameserver_tree();
/// Runs one of its programs to its end: its exit status, what it said into `said`.
int run_program(const std::string& program, std::vector<std::string> words, std::string& said);

struct server_wish {
    software kind = software::knot;
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;
    std::string primary;                  ///< its address; "" : is the primary
    std::vector<std::string> secondaries; ///< told of changes
    bool only_our_names = false;          ///< the rules of docs/dns-push.md for the first key
    std::string zone = "example.com";
    std::string content; ///< of the zone's file
};

class name_server {
public:
    explicit name_server(server_wish wish);
    ~name_server();
    name_server(const name_server&) = delete;
    name_server& operator=(const name_server&) = delete;
    /// Starts it and waits until it answers for its zone.
    void start();
    void stop(); ///< in order
    void kill(); ///< at once
    void pause();
    void go_on();
    io::endpoint at() const;
    std::string log() const;

    /// The keys that may update, of every primary.
    static constexpr const char* key_256 =
        "push.example.com:hmac-sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    static constexpr const char* key_512 =
        "big.example.com:hmac-sha512:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    /// One that the server knows, and that may not.
    static constexpr const char* key_idle =
        "idle.example.com:hmac-sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

private:
    void write_knot();
    void write_bind();
    server_wish wish_;
    scratch_folder folder_;
    pid_t pid_ = 0;
};

/// A port that is free over UDP and TCP on each of these addresses.
std::uint16_t free_port(const std::vector<std::string>& addresses);

} // namespace mailtight::tests
