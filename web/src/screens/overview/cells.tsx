// SPDX-License-Identifier: Apache-2.0
// What a row of the table and a card of a phone have in common.
import type { OverviewRow } from "../../api/types";
import { now } from "../../state/session";
import { capital, course, plural, relative, share, short } from "../../text/format";
import { Icon } from "../../ui/icon";
import { Spark } from "../../ui/spark";
import { VerdictBadge } from "../../ui/status";
import { Ago } from "../../ui/time";

export const Verdict = ({ row }: { row: OverviewRow }) => <VerdictBadge verdict={row.verdict} light={row.light} />;

export const Course = ({ row }: { row: OverviewRow }) => (
  <div class="dim small overview-course">
    <span class="sr">Mode: </span>
    {course(row)}
  </div>
);

export function Labels({ row }: { row: OverviewRow }) {
  const shown = row.labels.slice(0, 2);
  const more = row.labels.length - shown.length;
  if (!shown.length) return null;
  return (
    <div class="overview-labels">
      {shown.map((label) => (
        <span class="label-chip" key={label}>
          {label}
        </span>
      ))}
      {more > 0 && (
        <span class="label-chip" title={row.labels.slice(2).join(", ")}>
          +{more}
        </span>
      )}
    </div>
  );
}

export function Sessions({ row }: { row: OverviewRow }) {
  const { success, failure } = row.sessions;
  const all = success + failure;
  if (!all) return <span class="dim small">No reports yet</span>;
  return (
    <div class="overview-sessions">
      <Spark series={row.series} width={90} height={26} />
      <div>
        <div class={failure / all >= 0.001 ? "tone-bad overview-share" : "overview-share"}>{failure ? share(failure, all) : "None"}</div>
        <div class="dim small" title={plural(all, "session")}>
          of {short(all)}
        </div>
      </div>
    </div>
  );
}

export const Changed = ({ row }: { row: OverviewRow }) =>
  row.changed ? (
    <>
      <div class="two-lines">{capital(row.changed.what)}</div>
      <div class="dim small">
        <Ago at={row.changed.at} />
      </div>
    </>
  ) : (
    <span class="dim">–</span>
  );

/** Whose turn it is, and what with. */
export function Next({ row }: { row: OverviewRow }) {
  const next = row.next;
  if (!next && row.light === "bad")
    return (
      <div class="overview-do yours">
        <Icon name="right" />
        <div>
          <div class="two-lines">See the findings and fix them</div>
          <div class="dim small">Your turn</div>
        </div>
      </div>
    );
  if (!next)
    return (
      <span class="dim overview-do">
        <Icon name="check" />
        Nothing to do
      </span>
    );
  const yours = next.by === "person" && next.state === "now";
  return (
    <div class={yours ? "overview-do yours" : "overview-do"}>
      <Icon name={yours ? "right" : next.state === "waiting" ? "clock" : next.by === "us" ? "bolt" : "right"} />
      <div>
        <div class="two-lines">{next.title}</div>
        <div class="dim small">{turn(row)}</div>
      </div>
    </div>
  );
}

export function turn(row: Pick<OverviewRow, "next">): string {
  const next = row.next;
  if (!next) return "";
  if (next.not_before && Date.parse(next.not_before) > now()) return capital(relative(next.not_before, now()));
  if (next.state === "now") return next.by === "person" ? "Your turn" : "Mailtight does this";
  return next.state === "waiting" ? "Waiting" : "Later";
}
