// SPDX-License-Identifier: Apache-2.0
// What the farm's names say, by rule, so that a list of a million domains needs no zone file. All below the
// top-level domain `bench`, each domain an organisation of its own:
//
//     dN.bench  for DNS only: odd N does not exist; of the even ones every second has both records
//     fN.bench  everything, with a mail server of its own (mx.fN.bench, an address of its own)
//     sN.bench  everything, its two mail servers among the fifty hosts mx.hM.bench that all sN share
//     pN.bench  everything, its mail server mx.pN.big.bench: an address of its own, but all of one provider
//
// Every policy host (mta-sts.fN.bench) has the one address web_address. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::farm {

constexpr std::uint32_t shared_hosts = 50;
constexpr std::uint32_t web_address = 0x7f000201;  // 127.0.2.1
constexpr std::uint32_t own_hosts = 0x7f100000;    // 127.16.0.0 + N
constexpr std::uint32_t common_hosts = 0x7f800000; // 127.128.0.0 + M
constexpr std::uint32_t big_hosts = 0x7fc00000;    // 127.192.0.0 + N

/// The answer to a DNS question in wire form; empty where the datagram is no question. The name server is
/// authoritative for `bench` and refuses everything else.
std::string answer_dns(std::string_view datagram);

/// The name of the mail server at this address (127/8), for who sends no SNI.
std::string host_at(std::uint32_t address);
/// The policy that `mta-sts.fN.bench` serves; nothing for other hosts.
std::optional<std::string> policy_of(std::string_view policy_host);

} // namespace mailtight::farm
