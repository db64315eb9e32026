// SPDX-License-Identifier: Apache-2.0
// The numbered steps that go with an exported policy, for a person. Pure.
#pragma once

#include "publish/export.h"

namespace mailtight::publish {

std::string export_steps(const exported_policy& what, export_form form);

} // namespace mailtight::publish
