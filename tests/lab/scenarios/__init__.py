# SPDX-License-Identifier: Apache-2.0
"""The table of the lab: every domain, what it sets up, and exactly what `check` must find there."""

from scenarios import across, bad_input, commands, dane, mx, policy_host, policy_text, sts_record, tlsrpt, whole

SCENARIOS = [*whole.SCENARIOS, *sts_record.SCENARIOS, *policy_host.SCENARIOS, *policy_text.SCENARIOS, *mx.SCENARIOS,
             *dane.SCENARIOS, *tlsrpt.SCENARIOS, *across.SCENARIOS, *bad_input.SCENARIOS,
             *commands.SCENARIOS]

_domains = [s.domain for s in SCENARIOS]
assert len(_domains) == len(set(_domains)), "a domain stands twice in the table"
