// SPDX-License-Identifier: Apache-2.0
// Sends a report of our own the way that senders' reports go, and waits until it arrives.
import { useEffect, useState } from "preact/hooks";
import { api, segment } from "../api/client";
import type { ReportTest as Test } from "../api/types";
import { useAction } from "../state/resource";
import { can } from "../state/session";
import { Button } from "../ui/button";
import { Icon } from "../ui/icon";
import { announce } from "../ui/live";
import { Notice } from "../ui/page";

const every = 4_000;
const patience = 45; // rounds: three minutes

/** `main`: it is what the page asks of the reader. */
export function ReportTest({ domain, main }: { domain: string; main?: boolean }) {
  const [test, setTest] = useState<Test | null>(null);
  const [round, setRound] = useState(0);
  const send = useAction(async () => {
    setTest(await api.post<Test>("/report-tests", { domain }));
    setRound(0);
  });
  const waiting = test !== null && test.arrived === null && !test.trouble && (!test.finished || test.sent.some((one) => one.ok)) && round < patience;
  useEffect(() => {
    if (!waiting || !test) return;
    const timer = window.setTimeout(() => {
      api
        .get<Test>(`/report-tests/${segment(test.token)}`)
        .then((now) => {
          setTest(now);
          if (now.arrived !== null) announce("The test report has arrived.");
        })
        .catch(() => undefined) // asked again with the next round
        .finally(() => setRound((n) => n + 1));
    }, every);
    return () => window.clearTimeout(timer);
  }, [waiting, round]);
  if (!can("operator")) return <p class="dim small">An operator can send a test report, here or with mailtight report test {domain}.</p>;
  return (
    <div class="stack-s report-test">
      <div class="row">
        <Button kind={main ? "primary" : "plain"} icon="mail" busy={send.busy || waiting} onClick={() => void send.run()}>
          {waiting ? "Waiting for it to arrive…" : test ? "Send another test report" : "Send a test report"}
        </Button>
      </div>
      {send.error && <Notice tone="bad">{send.error.message}</Notice>}
      {test?.trouble && <Notice tone="bad">{test.trouble}</Notice>}
      {test?.sent.map((one) => (
        <p class="row small" key={one.to}>
          <span class={one.ok ? "tone-good" : "tone-bad"}>
            <Icon name={one.ok ? "good" : "bad"} />
          </span>
          <span class="break">
            {one.to}: {one.words}
          </span>
        </p>
      ))}
      {test && test.arrived !== null && (
        <Notice tone="good" title="It has arrived">
          The way for reports works. <a href={`/reports/${test.arrived}`}>See the test report</a>: it is marked as a test and never counted.
        </Notice>
      )}
      {waiting && <p class="dim small">A mailbox that is fetched by IMAP is looked at every few minutes. You may leave this page.</p>}
      {test && !waiting && test.arrived === null && round >= patience && <Notice tone="attention">It has not arrived within three minutes. Mail can take longer: see the mailbox, and whether Mailtight is set to read it.</Notice>}
    </div>
  );
}
