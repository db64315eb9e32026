// SPDX-License-Identifier: Apache-2.0
// A DNS message from anywhere: read, and asked what it says to its own question.
#include "wire/dns_answer.h"
#include "wire/dns_name.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace mailtight::wire;
    auto message = parse_dns_message({reinterpret_cast<const char*>(data), size});
    if (!message || !message->question)
        return 0;
    const auto question = *message->question;
    // A name that was read can be asked for, and stays the same name.
    if (canonical_dns_name(question.name) != question.name || !build_dns_query(question, {}))
        std::abort();
    for (const auto& record : message->answers)
        if (canonical_dns_name(record.owner) != record.owner)
            std::abort();
    const auto answer = read_dns_answer(std::move(*message), question);
    if (answer.chain.size() > 16)
        std::abort();
    return 0;
}
