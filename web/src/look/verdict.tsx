// SPDX-License-Identifier: Apache-2.0
// What a look found, in one line that can be read from across the room.
import "./look.css";
import type { Check } from "../api/types";
import { plural } from "../text/format";
import { DomainName } from "../ui/domain_name";
import { Icon, type IconName } from "../ui/icon";
import { verdictMeans, verdictTone, verdictWords } from "../ui/status";
import { Ago } from "../ui/time";
import type { ComponentChildren } from "preact";

const signs: Record<string, IconName> = { good: "shield", attention: "attention", bad: "bad", unknown: "unknown" };

export function counted(check: Check): string {
  const number = (severity: string) => check.findings.filter((one) => one.severity === severity).length;
  const errors = number("error");
  const warnings = number("warning");
  if (!errors && !warnings) return "Nothing to fix.";
  return [errors ? plural(errors, "error") : "", warnings ? plural(warnings, "warning") : ""].filter(Boolean).join(" and ") + ".";
}

/** DNS does not know the name at all: a slip of the keyboard, or a domain that has expired. */
export const isNoDomain = (check: Check) => check.findings.some((one) => one.code === "domain.absent");

export function VerdictHead({ check, children }: { check: Check; children?: ComponentChildren }) {
  const tone = verdictTone[check.verdict];
  const none = isNoDomain(check);
  const words = none ? "does not exist" : verdictWords[check.verdict].toLowerCase();
  const means = none ? "DNS does not know this name. Is it spelled correctly, and has the domain not expired?" : verdictMeans[check.verdict];
  return (
    <section class={`verdict verdict-${tone}`} aria-label="Verdict">
      <span class={`verdict-sign tone-${tone}`}>
        <Icon name={check.verdict === "testing" || check.verdict === "retiring" ? "clock" : signs[tone]!} size={28} />
      </span>
      <div class="grow">
        <h2 class="verdict-words">
          <DomainName name={check.domain} />: <span class={`tone-${tone}`}>{words}</span>
        </h2>
        <p class="soft">{means}</p>
        <p class="small dim">
          {counted(check)} Looked at <Ago at={check.checked_at} />.
        </p>
      </div>
      {children && <div class="row verdict-actions">{children}</div>}
    </section>
  );
}
