# SPDX-License-Identifier: Apache-2.0
"""What shows only when several things are seen together: sub-domains, delegation, CAA."""

from table import STS_ID, Rec, Scenario as S

_GOOD = f"v=STSv1; id={STS_ID}".encode()

SCENARIOS = [
    S("parent.test", set(), "protected", 0, "a main domain with a policy"),
    S("sub.parent.test", {"subdomain.unprotected"}, "absent", 1,
      "its sub-domain takes mail and has none", zone="parent.test", sts=[], web=[]),
    S("own.parent.test", set(), "protected", 0, "a sub-domain with a policy of its own", zone="parent.test"),
    S("delegation-half.test", {"delegation.half"}, "broken", 1, "the record is the provider's, the host is missing",
      sts=[], web=[], records=[Rec("_mta-sts.delegation-half.test", "CNAME", "_mta-sts.healthy.test")]),
    S("caa-forbids.test", {"caa.forbids-issuer"}, "protected", 0, "no authority may issue", records=[
        Rec("caa-forbids.test", "CAA", '0 issue ";"')]),
    S("caa-other.test", set(), "protected", 0, "CAA without an issue property forbids nothing", records=[
        Rec("caa-other.test", "CAA", '0 iodef "mailto:ca@healthy.test"')]),
]
