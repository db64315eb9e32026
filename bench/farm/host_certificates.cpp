// SPDX-License-Identifier: Apache-2.0
// host_certificates FOLDER COUNT FILES: certificates of an authority for mta-sts.dN.bench, as public ones are
// made (P-256, one issuer between): all of them in FOLDER/all, the first FILES also as FOLDER/N.pem and
// N.key.
#include "farm/host_bundle.h"
#include "support/certificates.h"

#include <cstdio>

int main(int count, char** words) {
    using namespace mailtight;
    if (count != 4) {
        std::fputs("host_certificates FOLDER COUNT FILES\n", stderr);
        return 2;
    }
    const std::string folder = words[1];
    const auto wanted = std::stoul(words[2]), files = std::stoul(words[3]);
    const auto root = tests::make_root();
    const auto middle = tests::make_intermediate(root, "Bench Intermediate", "http://ca.bench/root.crt");
    const auto issuer = middle.pem();
    std::ofstream(folder + "/root.pem") << root.pem();
    std::ofstream all(folder + "/all", std::ios::binary);
    for (std::size_t i = 0; i < wanted; ++i) {
        const auto leaf = tests::issue({.dns_names = {"mta-sts." + bench::host_domain(i)},
                                        .ca_issuers_url = "http://ca.bench/issuer.crt"},
                                       &middle);
        const auto chain = leaf.pem() + issuer;
        const auto key = leaf.key_pem();
        all << chain.size() << ' ' << key.size() << '\n' << chain << key;
        if (i < files) {
            std::ofstream(folder + "/" + std::to_string(i) + ".pem") << chain;
            std::ofstream(folder + "/" + std::to_string(i) + ".key") << key;
        }
    }
    return all.flush() ? 0 : 1;
}
