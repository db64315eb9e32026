// SPDX-License-Identifier: Apache-2.0
// The doctor's findings about this machine.
import { useEffect } from "preact/hooks";
import { api } from "../../api/client";
import type { DoctorAnswer } from "../../api/types";
import { useAction, useResource } from "../../state/resource";
import { plural } from "../../text/format";
import { Button } from "../../ui/button";
import { Code } from "../../ui/copy";
import { announce } from "../../ui/live";
import { Bones, Failed, Notice } from "../../ui/page";
import { Badge, type Tone } from "../../ui/status";
import { Ago } from "../../ui/time";

const states: Record<DoctorAnswer["checks"][number]["state"], [Tone, string]> = { problem: ["bad", "To fix"], unknown: ["unknown", "Not known"], ok: ["good", "Good"] };

export function Doctor() {
  const doctor = useResource<DoctorAnswer>("doctor", (signal) => api.get("/doctor", undefined, signal));
  const again = useAction(async () => {
    doctor.set(await api.get<DoctorAnswer>("/doctor", { again: true }));
    announce("The doctor looked again.");
  });
  const looking = doctor.data?.looking ?? false;
  useEffect(() => {
    if (!looking) return;
    const timer = window.setInterval(doctor.reload, 2000);
    return () => window.clearInterval(timer);
  }, [looking]);
  if (doctor.error && !doctor.data) return <Failed error={doctor.error} retry={doctor.reload} what="The doctor" />;
  if (!doctor.data) return <Bones block />;
  const { checks } = doctor.data;
  const order = ["problem", "unknown", "ok"];
  const sorted = [...checks].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
  const problems = checks.filter((each) => each.state === "problem").length;
  return (
    <section class="card" aria-labelledby="doctor-title">
      <header>
        <div>
          <h2 id="doctor-title">{checks.length === 0 ? "The doctor is looking" : problems > 0 ? `${plural(problems, "thing")} to fix on this machine` : "This machine is in order"}</h2>
          <p class="dim small">
            Looked at <Ago at={doctor.data.looked_at} none="just now" />. The same as <code>mailtight doctor</code>.
          </p>
        </div>
        <Button icon="refresh" busy={again.busy || looking} onClick={() => void again.run()}>
          {looking ? "Looking" : "Look again"}
        </Button>
      </header>
      {again.error && (
        <div class="card-body">
          <Notice tone="bad">{again.error.message}</Notice>
        </div>
      )}
      <ul class="doctor flush">
        {sorted.map((each) => (
          <li key={each.check}>
            <Badge tone={states[each.state][0]}>{states[each.state][1]}</Badge>
            <div class="grow stack-s">
              <p>
                <strong>{each.check}</strong> <span class="soft break">{each.seen}</span>
              </p>
              {each.fix && <p>{each.fix}</p>}
              {each.lines && <Code text={each.lines.trim()} what={`the lines for ${each.check}`} />}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
