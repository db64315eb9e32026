// SPDX-License-Identifier: Apache-2.0
// Why a delivery failed and what to do: cause, fix, and how to see whether it is mended.
import type { Diagnosis } from "../../api/types";
import { Code } from "../../ui/copy";
import { Badge } from "../../ui/status";

/** The first line is for everybody; those after it name a server each ("Postfix: …"). */
export function fixLines(fix: string): { first: string; servers: { name: string; words: string }[] } {
  const [first = "", ...rest] = fix.split("\n");
  return {
    first,
    servers: rest
      .filter((line) => line.trim() !== "")
      .map((line) => {
        const at = line.indexOf(": ");
        return at > 0 && at < 30 ? { name: line.slice(0, at), words: line.slice(at + 2) } : { name: "", words: line };
      }),
  };
}

export function StandingBadge({ of }: { of: Pick<Diagnosis, "still_so" | "now"> }) {
  if (of.still_so === true)
    return (
      <Badge tone="bad" title={of.now}>
        Still so
      </Badge>
    );
  if (of.still_so === false)
    return (
      <Badge tone="good" title={of.now}>
        Not so any more
      </Badge>
    );
  return null;
}

export function Explained({ diagnosis, open }: { diagnosis: Diagnosis; open?: boolean }) {
  const fix = fixLines(diagnosis.fix);
  const more = fix.servers.length > 0 || diagnosis.check !== "";
  return (
    <>
      <dl class="causes">
        <div>
          <dt>Cause</dt>
          <dd>
            {diagnosis.cause}
            {diagnosis.confidence && diagnosis.confidence !== "certain" && <span class="dim"> ({diagnosis.confidence})</span>}
          </dd>
        </div>
        <div>
          <dt>To do</dt>
          <dd>{diagnosis.ours || fix.first ? fix.first : "Nothing: this side is right."}</dd>
        </div>
        {diagnosis.who && (
          <div>
            <dt>Seen by</dt>
            <dd>{diagnosis.who}</dd>
          </div>
        )}
        {diagnosis.policy_age && (
          <div>
            <dt>Policy</dt>
            <dd>{diagnosis.policy_age}</dd>
          </div>
        )}
      </dl>
      {more && (
        <details class="more" open={open}>
          <summary>
            {fix.servers.length > 0 ? "On your mail server, and how to check" : "How to check"}
          </summary>
          <div class="stack more-body">
            {fix.servers.length > 0 && (
              <dl class="fix-servers">
                {fix.servers.map((each) => (
                  <div key={each.name + each.words}>
                    <dt>{each.name}</dt>
                    <dd>{each.words}</dd>
                  </div>
                ))}
              </dl>
            )}
            {diagnosis.check && <Code text={diagnosis.check} what="commands that show whether it is fixed" />}
          </div>
        </details>
      )}
    </>
  );
}

/** "344 delivered all the same, 2 held back". */
export function fateWords(of: { held_back: number; delivered: number; unknown: number }): string {
  const parts = [
    of.held_back > 0 ? `${of.held_back.toLocaleString("en")} held back` : "",
    of.delivered > 0 ? `${of.delivered.toLocaleString("en")} delivered all the same` : "",
    of.unknown > 0 ? `${of.unknown.toLocaleString("en")} not known` : "",
  ].filter(Boolean);
  return parts.join(", ");
}
