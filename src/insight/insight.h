// SPDX-License-Identifier: Apache-2.0
// Answers from what the store holds: groups of failures with their diagnosis, trends, silence, readiness for
// enforce, alarms, the weekly digest. Pure over rows and a clock: the caller asks the store. One header an
// answer.
#pragma once

#include "insight/alarms.h"
#include "insight/failures.h"
#include "insight/letters.h"
#include "insight/readiness.h"
#include "insight/silence.h"
#include "insight/trends.h"
