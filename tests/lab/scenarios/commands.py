# SPDX-License-Identifier: Apache-2.0
"""Domains for the cases of cli/: they are looked at by every command, and some are changed by a case."""

from table import Mx, Scenario as S, Web

SCENARIOS = [
    S("moving.test", set(), "testing", 0, "its policy is changed and brought back by cases of cli/", mode="testing",
      max_age=604800),
    S("entering.test", set(), "protected", 0, "its record is changed and brought back by cases of cli/"),
    S("mx-sibling-name.test", {"mx.cert-name-mismatch", "policy.wildcard-too-broad"}, "broken", 1,
      "the policy's wildcard admits the host, and the certificate is another host's below the same wildcard",
      mx=[Mx("mx1", names=["mx2.mx-sibling-name.test"])], policy_mx=["*.mx-sibling-name.test"]),
    S("host-no-type.test", {"policy-host.content-type"}, "broken", 1, "no media type at all",
      web=[Web("content-type", options={"type": None})]),
    S("xn--bcher-kva.test", set(), "protected", 0, "a name with a letter beyond ASCII"),
]
