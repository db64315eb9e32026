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

export function VerdictHead({ check, children }: { check: Check; children?: ComponentChildren }) {
  const tone = verdictTone[check.verdict];
  return (
    <section class={`verdict verdict-${tone}`} aria-label="Verdict">
      <span class={`verdict-sign tone-${tone}`}>
        <Icon name={check.verdict === "testing" || check.verdict === "retiring" ? "clock" : signs[tone]!} size={28} />
      </span>
      <div class="grow">
        <h2 class="verdict-words">
          <DomainName name={check.domain} />: <span class={`tone-${tone}`}>{verdictWords[check.verdict].toLowerCase()}</span>
        </h2>
        <p class="soft">{verdictMeans[check.verdict]}</p>
        <p class="small dim">
          {counted(check)} Looked at <Ago at={check.checked_at} />.
        </p>
      </div>
      {children && <div class="row verdict-actions">{children}</div>}
    </section>
  );
}
