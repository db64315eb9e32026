// SPDX-License-Identifier: Apache-2.0
// One report explained: what it says in a sentence, whom it is from, and each policy with what failed and why. For the
// reports of the store and for files that were just read.
import type { Detail, Report, ReportPolicy } from "../../api/types";
import { useCheckNow, CheckAnswer, CheckButton } from "../reports/check_now";
import { Explained, StandingBadge, fateWords } from "../reports/diagnosis";
import { TrustBadge } from "../reports/report_list";
import "../../styles/data.css";
import "../reports/reports.css";
import "./report.css";
import { count, period, plural } from "../../text/format";
import { Code } from "../../ui/copy";
import { Icon } from "../../ui/icon";
import { Notice } from "../../ui/page";
import { Badge, ModeBadge } from "../../ui/status";

const types: Record<string, string> = {
  sts: "MTA-STS policy",
  tlsa: "DANE (TLSA records)",
  "no-policy-found": "No policy found",
};

export function modeOf(policy: Pick<ReportPolicy, "type" | "strings">): string | null {
  if (policy.type !== "sts") return null;
  for (const line of policy.strings) {
    const found = /^\s*mode\s*:\s*(\w+)/i.exec(line);
    if (found) return found[1]!.toLowerCase();
  }
  return null;
}

export function ReportView({ report }: { report: Report }) {
  const { failure } = report.headline;
  const domain = report.report_domain ?? "";
  return (
    <div class="stack">
      <section class={`card outcome outcome-${failure > 0 ? "bad" : "good"}`} aria-label="In a sentence">
        <div class="card-body outcome-body">
          <span class={failure > 0 ? "tone-bad" : "tone-good"}>
            <Icon name={failure > 0 ? "attention" : "good"} size={22} />
          </span>
          <div class="grow stack-s">
            <p class="outcome-words">{report.sentence}</p>
            {report.test && <Badge tone="accent">Test report, never counted</Badge>}
          </div>
        </div>
      </section>
      {report.policies.map((each, i) => (
        <Policy key={i} of={each} domain={domain} />
      ))}
      {report.left_out > 0 && <Notice>{plural(report.left_out, "more detail")} are not shown here; the counts hold all of them.</Notice>}
      <div class="two">
        <From report={report} />
        <Warnings report={report} />
      </div>
    </div>
  );
}

function Policy({ of, domain }: { of: ReportPolicy; domain: string }) {
  const mode = modeOf(of);
  const fate = fateWords(of.failed);
  const told = of.details.reduce((sum, each) => sum + each.count, 0);
  return (
    <section class="card clipped" aria-label={`${types[of.type] ?? of.type} ${of.domain}`}>
      <header>
        <div>
          <h2 class="row">
            {types[of.type] ?? of.type} <span class="soft break">{of.domain}</span> {mode && <ModeBadge mode={mode} />}
          </h2>
          <p class="dim small">
            {count(of.success)} succeeded, {count(of.failure)} failed{fate && `: ${fate}`}
          </p>
        </div>
      </header>
      <div class="flush">
        {of.details.length > 0 ? (
          <ul class="groups">
            {of.details.map((each, i) => (
              <DetailCard key={i} of={each} domain={domain || of.domain} />
            ))}
          </ul>
        ) : (
          <p class="card-body soft">
            {of.failure > 0 ? "The reporter does not describe what failed." : of.success > 0 ? "Everything went as this policy asks." : "No sessions."}
          </p>
        )}
        {of.details.length > 0 && told < of.failure && <p class="card-body soft">{plural(of.failure - told, "more failed session")} that the reporter does not describe.</p>}
        {of.remarks.length > 0 && (
          <ul class="groups">
            {of.remarks.map((each, i) => (
              <li key={i} class="group group-unknown">
                <h3>{each.title}</h3>
                <Explained diagnosis={each} />
              </li>
            ))}
          </ul>
        )}
        {(of.strings.length > 0 || of.mx_patterns.length > 0) && (
          <details class="more policy-text">
            <summary>
              The policy as the sender had it
            </summary>
            <div class="more-body">
              {of.strings.length > 0 && <Code text={of.strings.join("\n")} what="the policy in the report" />}
              {of.mx_patterns.length > 0 && (
                <p class="soft small policy-mx">
                  Mail servers that it admits: <span class="mono">{of.mx_patterns.join(", ")}</span>
                </p>
              )}
              {of.inferred.length > 0 && <p class="dim small">Not in the report, but inferred: {of.inferred.join(", ")}.</p>}
            </div>
          </details>
        )}
      </div>
    </section>
  );
}

function DetailCard({ of, domain }: { of: Detail; domain: string }) {
  const { diagnosis } = of;
  const look = useCheckNow(domain, { mx: of.receiving_mx, finding: diagnosis.finding });
  const facts: [string, string][] = [
    ["Mail server", of.receiving_mx],
    ["Its address", of.receiving_ip],
    ["It called itself", of.receiving_mx_helo],
    ["Sender’s address", of.sending_mta_ip],
    ["Reason", of.reason_code],
    ["More", of.additional_information],
  ];
  return (
    <li class={`group group-${diagnosis.ours ? "bad" : "attention"}`}>
      <div class="group-head">
        <h3>
          {diagnosis.title} {of.receiving_mx && <span class="group-where">{of.receiving_mx}</span>}
        </h3>
        <div class="row">
          <StandingBadge of={diagnosis} />
          {!diagnosis.ours && (
            <Badge tone="unknown" icon="info">
              Not your fault
            </Badge>
          )}
          <span class="group-count">{plural(of.count, "session")}</span>
        </div>
      </div>
      <Explained diagnosis={diagnosis} />
      <dl class="told small">
        <div>
          <dt>Result</dt>
          <dd>
            <code>{of.result_type}</code>
          </dd>
        </div>
        {facts.map(([name, value]) =>
          value ? (
            <div key={name}>
              <dt>{name}</dt>
              <dd class={name === "More" ? "" : "mono"}>{value}</dd>
            </div>
          ) : null,
        )}
      </dl>
      {domain && (
        <>
          <div class="row">
            <CheckButton now={look} />
            {look.idle && diagnosis.now && <span class="dim small">{diagnosis.now}</span>}
          </div>
          <CheckAnswer domain={domain} now={look} />
        </>
      )}
    </li>
  );
}

function From({ report }: { report: Report }) {
  return (
    <section class="card" aria-labelledby="from-title">
      <header>
        <h2 id="from-title">Whom it is from</h2>
        <TrustBadge trust={report.trust} />
      </header>
      <dl class="facts card-body">
        <dt>Reporter</dt>
        <dd>{report.organization_name || <span class="dim">not named</span>}</dd>
        {report.submitter && (
          <>
            <dt>Submitter</dt>
            <dd>{report.submitter}</dd>
          </>
        )}
        <dt>Contact</dt>
        <dd>{report.contact_info || <span class="dim">none</span>}</dd>
        <dt>Period</dt>
        <dd>{report.start ? period(report.start, report.end ?? "") : <span class="dim">not said</span>}</dd>
        <dt>Report id</dt>
        <dd class="mono">{report.report_id || <span class="dim">none</span>}</dd>
        <dt>Came as</dt>
        <dd>
          {report.format}, {report.source}
        </dd>
        <dt>DKIM</dt>
        <dd>
          {report.dkim ? (
            <>
              <Badge tone={report.dkim.result === "pass" ? "good" : report.dkim.result === "none" ? "unknown" : "bad"}>{report.dkim.result}</Badge>{" "}
              {report.dkim.domain && (
                <span class="soft">
                  {report.dkim.domain}
                  {report.dkim.selector && <span class="dim"> (selector {report.dkim.selector})</span>}
                </span>
              )}
              {report.dkim.reason && <span class="block soft small">{report.dkim.reason}</span>}
            </>
          ) : (
            <span class="dim">It did not come as a mail.</span>
          )}
        </dd>
        {report.trust_reason && (
          <>
            <dt>Trust</dt>
            <dd>{report.trust_reason}</dd>
          </>
        )}
      </dl>
    </section>
  );
}

function Warnings({ report }: { report: Report }) {
  return (
    <section class="card" aria-labelledby="warnings-title">
      <header>
        <h2 id="warnings-title">
          How it is written {report.warnings.length > 0 && <span class="count">{report.warnings.length}</span>}
        </h2>
      </header>
      {report.warnings.length === 0 ? (
        <p class="card-body soft">As the standard (RFC 8460) asks.</p>
      ) : (
        <div class="card-body stack-s">
          <p class="soft">It differs from the standard (RFC 8460) and was read all the same:</p>
          <ul class="stack-s">
            {report.warnings.map((each, i) => (
              <li key={i}>
                {each.message}
                {each.detail && <span class="soft"> “{each.detail}”</span>}
                <span class="block dim small mono">{each.where || each.code}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {report.truncated && <p class="card-body soft">It holds more than was kept; the counts are of what was kept.</p>}
    </section>
  );
}
