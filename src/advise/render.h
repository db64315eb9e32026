// SPDX-License-Identifier: Apache-2.0
// The judgement as JSON, with the keys of the command line's contract. Pure. Remote bytes that are no UTF-8
// are made printable.
#pragma once

#include "advise/advise.h"

#include <boost/json/object.hpp>

namespace mailtight::advise {

/// `check --json`: one document.
boost::json::object check_json(const model::observation& seen, const judgement& judged);
/// One row of `scan`: the same without suggestion, policy text and certificates.
boost::json::object scan_json(const model::observation& seen, const judgement& judged);
/// The value of "suggestion" in check_json().
boost::json::object suggestion_json(const suggestion& made);
/// `record lint --json`, `policy lint --json`.
boost::json::object lint_json(const lint_result& result);

} // namespace mailtight::advise
