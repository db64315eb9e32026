// SPDX-License-Identifier: Apache-2.0
// What failed, by kind: the cause, what to do, whether it is still so, and muting.
import { useRef, useState } from "preact/hooks";
import { api, segment } from "../../api/client";
import type { FailureGroup, FailureList } from "../../api/types";
import { daysWords } from "../../charts/days";
import { listed } from "../../charts/numbers";
import { type Resource, useAction } from "../../state/resource";
import { can } from "../../state/session";
import { capital, plural } from "../../text/format";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { toast } from "../../ui/live";
import { Bones, Empty, Failed } from "../../ui/page";
import { Badge } from "../../ui/status";
import { Ago, DayOf } from "../../ui/time";
import { CheckAnswer, CheckButton, useCheckNow } from "./check_now";
import { Explained, StandingBadge, fateWords } from "./diagnosis";
import { type Filter, linkTo } from "./filter";
import { MuteDialog } from "./mute_dialog";
import { Mutes, otherMutes, useMutes } from "./mutes";

const rank = (group: FailureGroup): number => (group.diagnosis.still_so === true ? 0 : group.diagnosis.still_so === false ? 3 : group.diagnosis.ours ? 1 : 2);

/** What is still so first, what is mended last; within each as the server has them, the most sessions first. */
export const byUrgency = (groups: readonly FailureGroup[]): FailureGroup[] => groups.map((group, i) => ({ group, i })).sort((a, b) => rank(a.group) - rank(b.group) || a.i - b.i).map(({ group }) => group);

const keyOf = (group: FailureGroup): string => [group.domain, group.result_type, group.mx, group.reason_code, group.policy_type].join("\n");

export function Failures({ list, filter }: { list: Resource<FailureList>; filter: Filter }) {
  const [all, setAll] = useState(false);
  // What was just checked stays where it is, although it may have become less urgent.
  const order = useRef<{ of: string; keys: string[] }>({ of: "", keys: [] });
  const mutes = useMutes(list.data?.groups.filter((each) => each.muted).length ?? 0);
  if (list.error && !list.data) return <Failed error={list.error} retry={list.reload} what="The list of failures" />;
  if (!list.data) return <Bones lines={6} />;
  if (order.current.of !== linkTo(filter)) order.current = { of: linkTo(filter), keys: [] };
  const { keys } = order.current;
  const urgent = byUrgency(list.data.groups.filter((each) => !each.muted));
  for (const each of urgent) if (!keys.includes(keyOf(each))) keys.push(keyOf(each));
  const open = urgent.sort((a, b) => keys.indexOf(keyOf(a)) - keys.indexOf(keyOf(b)));
  const muted = list.data.groups.filter((each) => each.muted);
  const others = otherMutes(mutes.data?.mutes ?? [], muted.map((each) => each.muted?.name ?? ""), filter.domain);
  const shown = all ? open : open.slice(0, 3);
  return (
    <div class="failures">
      {open.length === 0 && (
        <Empty icon="good" title={muted.length > 0 ? "Nothing but what is muted" : "Nothing failed in this period"} level={3}>
          <p>{muted.length > 0 ? "Every failure of this period is muted." : "Every session that senders reported was as your policy asks."}</p>
        </Empty>
      )}
      <ul class="groups">
        {shown.map((each) => (
          <Group key={keyOf(each)} group={each} filter={filter} reload={list.reload} />
        ))}
      </ul>
      {open.length > shown.length && (
        <div class="groups-more">
          <Button onClick={() => setAll(true)}>Show {plural(open.length - shown.length, "more kind")}</Button>
        </div>
      )}
      {list.data.left_out > 0 && <p class="dim small groups-more">{plural(list.data.left_out, "rarer kind")} are left out: choose a domain or a shorter period.</p>}
      {muted.length + others.length > 0 && (
        <details class="more groups-muted">
          <summary>
            Muted <span class="count">{muted.length + others.length}</span>
          </summary>
          <ul class="groups">
            {muted.map((each) => (
              <Group key={keyOf(each)} group={each} filter={filter} reload={list.reload} />
            ))}
          </ul>
          <Mutes rows={others} reload={mutes.reload} />
        </details>
      )}
    </div>
  );
}

function Group({ group, filter, reload }: { group: FailureGroup; filter: Filter; reload: () => void }) {
  const { diagnosis } = group;
  const [muting, setMuting] = useState(false);
  const unmute = useAction(async (name: string) => {
    await api.delete(`/mutes/${segment(name)}`);
    toast("It is told of again.");
    reload();
  });
  const look = useCheckNow(group.domain, { mx: group.mx, finding: diagnosis.finding }, reload);
  const tone = group.muted || diagnosis.still_so === false ? "unknown" : diagnosis.ours ? "bad" : "attention";
  const fate = fateWords(group.failed);
  const reports = linkTo({ ...filter, domain: group.domain, result: group.result_type, mx: group.mx }, {}, { failures: true }, "reports");
  return (
    <li class={`group group-${tone}`}>
      <div class="group-head">
        <h3>
          {diagnosis.title}
          {group.mx && (
            <>
              {" "}
              <span class="group-where">{group.mx}</span>
            </>
          )}
        </h3>
        <div class="row">
          {!group.muted && !look.said && <StandingBadge of={diagnosis} />}
          {!diagnosis.ours && (
            <Badge tone="unknown" icon="info">
              Not your fault
            </Badge>
          )}
          <a class={`group-count ${tone === "bad" ? "tone-bad" : ""}`} href={reports}>
            {plural(group.count, "session")}
          </a>
        </div>
      </div>
      <p class="soft small group-seen">
        {fate && (
          <>
            <strong>{capital(fate)}</strong> ·{" "}
          </>
        )}
        {daysWords(group.first, group.last)} · told by {listed(group.reporters, 4)}
        {group.reporters_fine > 0 && <>, not by {plural(group.reporters_fine, "other")}</>}
        <br />
        {group.domain} · <code>{group.result_type}</code>
        {group.reason_code && <> ({group.reason_code})</>}
        {(group.receiving_ips.length > 0 || group.sending_ips.length > 0) && (
          <>
            {" · "}
            {group.receiving_ips.length > 0 && (
              <>
                at <span class="mono">{listed(group.receiving_ips, 4)}</span>
              </>
            )}
            {group.sending_ips.length > 0 && (
              <>
                {" "}
                from <span class="mono">{listed(group.sending_ips, 4)}</span>
              </>
            )}
          </>
        )}
      </p>
      {group.muted && (
        <p class="group-mute">
          <Icon name="mute" />
          <span>
            Muted {group.muted.until ? <>until <DayOf at={group.muted.until} /></> : "until somebody ends it"} by {group.muted.by || "somebody"}
            {group.muted.why && <>: {group.muted.why}</>}
          </span>
        </p>
      )}
      <Explained diagnosis={diagnosis} />
      <div class="row group-acts">
        <CheckButton now={look} />
        <a class="button small" href={reports}>
          <Icon name="reports" />
          Its reports
        </a>
        {group.last_report > 0 && (
          <a class="button small quiet" href={`/reports/${group.last_report}`}>
            The latest, explained
          </a>
        )}
        {can("operator") && !group.muted && (
          <Button size="small" kind="quiet" icon="mute" onClick={() => setMuting(true)}>
            Mute
          </Button>
        )}
        {can("operator") && group.muted && (
          <Button
            size="small"
            kind="quiet"
            busy={unmute.busy}
            onClick={() => void unmute.run(group.muted?.name ?? "")}
          >
            Unmute
          </Button>
        )}
        {look.idle && group.looked_at && (
          <span class="dim small">
            {diagnosis.still_so === null ? "Last look" : diagnosis.still_so ? "Still so at the look" : "In order at the look"} <Ago at={group.looked_at} />
          </span>
        )}
      </div>
      {unmute.error && <p class="tone-bad">{unmute.error.message}</p>}
      <CheckAnswer domain={group.domain} now={look} />
      {muting && (
        <MuteDialog
          title="Mute this failure"
          words={
            <>
              No alarm and no digest tells of <strong>{group.result_type}</strong>
              {group.mx && (
                <>
                  {" "}
                  at <strong>{group.mx}</strong>
                </>
              )}{" "}
              for {group.domain} meanwhile. It is still counted, and stands here under “Muted”.
            </>
          }
          body={{ domain: group.domain, result_type: group.result_type, mx: group.mx }}
          close={() => setMuting(false)}
          done={reload}
        />
      )}
    </li>
  );
}
