// SPDX-License-Identifier: Apache-2.0
// What is wrong, with what shows it, what it does to mail, and what mends it. The worst stand first and open.
import "./look.css";
import type { Finding, Severity } from "../api/types";
import { CopyButton } from "../ui/copy";
import { Icon } from "../ui/icon";
import { capital } from "../text/format";
import { SeverityBadge } from "../ui/status";

const rank: Record<Severity, number> = { error: 0, warning: 1, info: 2, ok: 3 };

export const byWeight = <T extends { severity: Severity }>(findings: T[]): T[] => [...findings].sort((a, b) => rank[a.severity] - rank[b.severity]);

type Shown = Omit<Finding, "reference"> & { reference?: string };

export function FindingItem({ one, open }: { one: Shown; open: boolean }) {
  return (
    <details class="finding fold" open={open}>
      <summary>
        <SeverityBadge severity={one.severity} />
        <span class="grow">
          <span class="finding-title break">{capital(one.message)}</span>
          {!one.message.startsWith(one.subject) && <span class="finding-subject mono small dim break">{one.subject}</span>}
        </span>
        <Icon name="chevron" />
      </summary>
      <dl class="finding-body">
        {one.evidence && (
          <>
            <dt>Seen</dt>
            <dd class="mono small break">{one.evidence}</dd>
          </>
        )}
        {one.consequence && (
          <>
            <dt>{one.severity === "ok" ? "Meaning" : "Consequence"}</dt>
            <dd>{one.consequence}</dd>
          </>
        )}
        {one.fix && (
          <>
            <dt>Fix</dt>
            <dd class="finding-fix">
              <span class="grow">{one.fix}</span>
              <CopyButton text={one.fix} what={`the fix for: ${one.message}`} />
            </dd>
          </>
        )}
        <dt>Code</dt>
        <dd class="small dim">
          <code>{one.code}</code>
          {one.reference && `, ${one.reference}`}
        </dd>
      </dl>
    </details>
  );
}

export function Findings({ findings, none }: { findings: Shown[]; none?: string }) {
  if (!findings.length)
    return (
      <p class="finding-none">
        <span class="tone-good">
          <Icon name="good" />
        </span>
        {none ?? "Nothing was found that needs fixing."}
      </p>
    );
  const sorted = byWeight(findings);
  return (
    <div class="findings">
      {sorted.map((one, i) => (
        <FindingItem one={one} key={one.code + one.subject + i} open={one.severity === "error" && i < 3} />
      ))}
    </div>
  );
}
