// SPDX-License-Identifier: Apache-2.0
// What the last look saw, and a look now, stage by stage.
import type { Check, DomainView } from "../../api/types";
import { Button } from "../../ui/button";
import { Bones, Empty, Failed } from "../../ui/page";
import { Seen } from "../../look/seen";
import { Stages } from "../../look/stages";
import type { Look } from "../../look/stream";

export function FindingsTab({ view, look, start, stop }: { view: DomainView; look: Look; start: () => void; stop: () => void }) {
  const check: Check | null = look.check ?? view.look;
  return (
    <div class="stack">
      {look.running && (
        <section class="card" aria-label="The look">
          <header>
            <h2>Looking…</h2>
            <Button size="small" kind="quiet" onClick={stop}>
              Stop
            </Button>
          </header>
          <div>
            <Stages stages={look.stages} running />
          </div>
        </section>
      )}
      {look.error && <Failed error={look.error} retry={start} />}
      {check ? (
        <Seen check={check} />
      ) : look.running ? (
        <div class="card card-body">
          <Bones lines={5} />
        </div>
      ) : (
        <div class="card">
          <Empty
            icon="scan"
            title="Not looked at yet"
            actions={
              <Button kind="primary" icon="scan" onClick={start}>
                Look now
              </Button>
            }
          >
            <p>Mailtight looks at every domain by itself: fully once a day, at what matters every few minutes. The first look comes soon.</p>
          </Empty>
        </div>
      )}
    </div>
  );
}
