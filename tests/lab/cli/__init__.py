# SPDX-License-Identifier: Apache-2.0
"""Commands of the real binary in the lab, as a person types them: what they print, on which stream, with which status.

Each module here holds cases; run_all runs them all."""

from cli import doctor, examples, guide_check, guide_dns, guide_policy, guide_waiting, pages, reports, rules, shapes  # noqa: F401
from cli.case import names, run_all, selected  # noqa: F401
