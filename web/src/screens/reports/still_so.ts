// SPDX-License-Identifier: Apache-2.0
// Whether a failure that was reported is there now, by a look that was just made. Only what was really tested says
// no. Pure.
import type { Check, Finding } from "../../api/types";

export interface Suspect {
  mx: string; // "": the reports do not say, or it is no matter of an MX host
  finding: string | null; // the code by which a look shows the same thing
}
export interface StillSo {
  so: boolean | null; // null: the look could not tell
  words: string;
  findings: Finding[]; // what speaks for it, or stands near it
}

const same = (a: string, b: string): boolean => a.toLowerCase().replace(/\.$/, "") === b.toLowerCase().replace(/\.$/, "");
const about = (one: Finding, mx: string): boolean => mx === "" || same(one.subject, mx) || one.subject.toLowerCase().includes(mx.toLowerCase());

/** Whether the look saw so much of the part in question that its silence says something. */
function tested(check: Check, suspect: Suspect): boolean {
  const kind = suspect.finding?.split(".")[0] ?? "mx";
  if (kind === "sts-record") return check.parts.sts_record !== "not-tested";
  if (kind === "policy-host" || kind === "policy") return check.parts.policy_file !== "not-tested";
  if (kind === "tlsrpt") return check.parts.tlsrpt_record !== "not-tested";
  if (check.parts.mail_servers === "not-tested") return false;
  if (suspect.mx === "") return true;
  const host = check.mx.find((each) => same(each.host, suspect.mx));
  return host !== undefined && host.addresses.length > 0;
}

export function stillSo(check: Check, suspect: Suspect): StillSo {
  const bad = check.findings.filter((one) => one.severity === "error" || one.severity === "warning");
  const exact = suspect.finding === null ? [] : bad.filter((one) => one.code === suspect.finding && about(one, suspect.mx));
  if (exact.length > 0) return { so: true, words: exact[0]?.message ?? "", findings: exact };
  const errors = bad.filter((one) => one.severity === "error");
  const near = suspect.mx === "" ? errors : errors.filter((one) => about(one, suspect.mx));
  const gone = suspect.mx !== "" && check.mx.length > 0 && !check.mx.some((each) => same(each.host, suspect.mx));
  if (gone) return { so: false, words: `${suspect.mx} is no mail server of ${check.domain} any more.`, findings: [] };
  if (!tested(check, suspect)) return { so: null, words: "This part could not be tested from here, so nothing can be said.", findings: near };
  if (suspect.finding === null)
    return near.length > 0
      ? { so: null, words: "The look found this, which may be the cause:", findings: near }
      : { so: false, words: "The look found nothing that would explain it now.", findings: [] };
  return near.length > 0
    ? { so: false, words: "Not this any more, but the look found something else:", findings: near }
    : { so: false, words: suspect.mx === "" ? "The look found it in order." : `The look found ${suspect.mx} in order.`, findings: [] };
}
