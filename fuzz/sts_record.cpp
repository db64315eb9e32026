// SPDX-License-Identifier: Apache-2.0
// Any bytes as an `_mta-sts` text: nothing crashes, and the fast path, the judge and the parser agree.
#include "sts/id.h"
#include "sts/record.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace mailtight::sts;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto judged = judge_record(text);
    const auto parsed = parse_record(text);
    const auto view = read_record_view(text);
    if (parsed.has_value() != judged.valid() || view.has_value() != judged.valid())
        std::abort();
    if (parsed && (*parsed != *judged.value || view->id != parsed->id || !claims_record(text)))
        std::abort();
    if (parsed && parse_record(format_record(parsed->id))->id != parsed->id)
        std::abort();
    if (!parsed && explain(parsed.error().problem).empty())
        std::abort();
    for (const auto& issue : judged.issues)
        if (issue.offset > size || issue.detail.size() > size)
            std::abort();
    const std::string several[] = {text, "v=STSv1; id=1"};
    if (!judge_rrset(several).counted.size())
        std::abort(); // the second text always counts
    return 0;
}
