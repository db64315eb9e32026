// SPDX-License-Identifier: Apache-2.0
// What is muted besides the failures that are shown: failures that did not come again, and alarms of the installation.
import { api, segment } from "../../api/client";
import type { Mute, MuteList } from "../../api/types";
import { useAction, useResource } from "../../state/resource";
import { can } from "../../state/session";
import { Button } from "../../ui/button";
import { toast } from "../../ui/live";
import { Notice } from "../../ui/page";
import { DayOf } from "../../ui/time";

/** Those that no shown failure stands for, of this domain or (with "") of all. */
export function otherMutes(all: readonly Mute[], shown: readonly string[], domain: string): Mute[] {
  return all.filter((each) => !shown.includes(each.name) && (domain === "" || each.domain === domain));
}

export function muteWords(of: Mute): string {
  if (of.result_type) return `${of.result_type}${of.mx ? ` at ${of.mx}` : ""} for ${of.domain}`;
  return of.domain && of.key.startsWith("new-failure/") ? `Every failure of ${of.domain}` : of.key;
}

export function useMutes(round: unknown) {
  return useResource<MuteList>(`mutes ${String(round)}`, (signal) => api.get("/mutes", undefined, signal));
}

export function Mutes({ rows, reload }: { rows: Mute[]; reload: () => void }) {
  const end = useAction(async (name: string) => {
    await api.delete(`/mutes/${segment(name)}`);
    toast("It is told of again.");
    reload();
  });
  return (
    <>
      {end.error && <Notice tone="bad">{end.error.message}</Notice>}
      <ul class="rows">
        {rows.map((each) => (
          <li key={each.name}>
            <div class="grow">
              <p class="break">{muteWords(each)}</p>
              <p class="soft small">
                {each.until ? (
                  <>
                    Until <DayOf at={each.until} />
                  </>
                ) : (
                  "Until somebody ends it"
                )}
                , by {each.by || "somebody"}
                {each.why && <>: {each.why}</>}
              </p>
            </div>
            {can("operator") && (
              <Button size="small" kind="quiet" busy={end.busy} onClick={() => void end.run(each.name)}>
                Unmute
              </Button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
