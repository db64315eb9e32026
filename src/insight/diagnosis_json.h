// SPDX-License-Identifier: Apache-2.0
// A diagnosis and the fate of failed sessions as JSON, the same in every answer. The room's own.
#pragma once

#include "advise/diagnose.h"

#include <boost/json/object.hpp>

namespace mailtight::insight {

boost::json::object diagnosis_json(const advise::diagnosis& said);
boost::json::object fate_json(const advise::failed_fate& fate);

} // namespace mailtight::insight
