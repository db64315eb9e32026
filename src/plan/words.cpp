// SPDX-License-Identifier: Apache-2.0
#include "plan/plan.h"

namespace mailtight::plan {

std::string_view to_string(step_kind value) {
    switch (value) {
    case step_kind::report_way:
        return "report-way";
    case step_kind::publish_tlsrpt:
        return "publish-tlsrpt";
    case step_kind::point_host:
        return "point-host";
    case step_kind::certificate:
        return "certificate";
    case step_kind::serve_policy:
        return "serve-policy";
    case step_kind::verify_policy:
        return "verify-policy";
    case step_kind::check_mx:
        return "check-mx";
    case step_kind::publish_record:
        return "publish-record";
    case step_kind::verify_record:
        return "verify-record";
    case step_kind::wait:
        return "wait";
    case step_kind::evidence:
        return "evidence";
    case step_kind::add_mx:
        return "add-mx";
    case step_kind::remove_mx:
        return "remove-mx";
    case step_kind::mend:
        return "mend";
    case step_kind::remove_record:
        return "remove-record";
    case step_kind::stop_serving:
        return "stop-serving";
    case step_kind::remove_host:
        return "remove-host";
    case step_kind::remove_certificate:
        return "remove-certificate";
    case step_kind::come_back:
        return "come-back";
    }
    return "";
}

std::string_view to_string(step_state value) {
    switch (value) {
    case step_state::done:
        return "done";
    case step_state::now:
        return "now";
    case step_state::waiting:
        return "waiting";
    case step_state::later:
        return "later";
    }
    return "";
}

const step* plan::next() const {
    for (const auto& one : steps)
        if (one.state != step_state::done)
            return &one;
    return nullptr;
}

} // namespace mailtight::plan
