// SPDX-License-Identifier: Apache-2.0
// Datagrams as libtlsrpt sends them, for the benches of collecting: many domains, one session in ten failed.
#pragma once

#include <string>
#include <vector>

namespace mailtight::bench {

/// The session with this number. `distinct`: none is like another.
inline std::string result_datagram(std::size_t number, std::size_t domains, bool distinct = false) {
    const bool failed = number % 10 == 9;
    const auto domain = "d" + std::to_string(number / 10 % domains) + ".b.example";
    std::string out = R"({"dpv":"1","d":")" + domain + R"(","pr":"v=TLSRPTv1; rua=mailto:tls@)" + domain +
                      R"(","policies":[{"policy-type":2,"policy-domain":")" + domain +
                      R"(","policy-string":["version: STSv1","mode: enforce","mx: *.)" + domain +
                      R"(","max_age: 604800"],"mx-host":["*.)" + domain + R"("],"failure-details":[)";
    if (failed || distinct)
        out += R"({"c":204,"s":"192.0.2.9","n":"a.)" + domain + R"(","r":"198.51.100.)" +
               std::to_string(number / 10 % 250) + "\"" +
               (distinct ? R"(,"a":")" + std::to_string(number) + "\"" : "") + "}";
    out +=
        R"(],"t":)" + std::string(failed || distinct ? "1" : "0") + R"(,"f":)" + (failed ? "1" : "0") + "}]}";
    return out;
}

/// Every different one of these, in the order in which they come.
inline std::vector<std::string> result_datagrams(std::size_t domains) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < 10 * domains; ++i)
        all.push_back(result_datagram(i, domains));
    return all;
}

} // namespace mailtight::bench
