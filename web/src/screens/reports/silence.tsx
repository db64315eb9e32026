// SPDX-License-Identifier: Apache-2.0
// Nothing came: what is normal, why it may be, and a test of the mailbox.
import { useEffect, useState } from "preact/hooks";
import { api, segment } from "../../api/client";
import type { ReportTest, Summary } from "../../api/types";
import { asApiError } from "../../api/problem";
import { useAction } from "../../state/resource";
import { can } from "../../state/session";
import { Button, LinkButton } from "../../ui/button";
import { announce } from "../../ui/live";
import { Empty, Notice } from "../../ui/page";
import { Badge } from "../../ui/status";

type Silence = Summary["silence"][number];

export function NoReports({ silence, domain }: { silence: Silence[]; domain: string }) {
  const one = silence.find((each) => each.domain === domain) ?? (silence.length === 1 ? silence[0] : undefined);
  const about = domain || one?.domain || "";
  return (
    <section class="card">
      <Empty icon="mail" title="No reports yet" actions={about ? undefined : <LinkButton href="/read" icon="upload">Read a report from a file</LinkButton>}>
        <p>Senders report once a day, so the first usually comes 24 to 48 hours after the record is visible. Test your mailbox now.</p>
        {about && <MailboxTest domain={about} />}
      </Empty>
      {silence.length > 0 && (
        <div class="card-body stack">
          {silence.map((each) => (
            <Causes key={each.domain} of={each} titled={silence.length > 1} />
          ))}
        </div>
      )}
    </section>
  );
}

/** For some domains, while others have reports. */
export function QuietDomains({ silence }: { silence: Silence[] }) {
  if (silence.length === 0) return null;
  return (
    <section class="card">
      <header>
        <h2>Domains without reports</h2>
      </header>
      <div class="stack">
        {silence.map((each) => (
          <details class="more" key={each.domain}>
            <summary>
              {each.domain}
              {each.causes.some((one) => one.certain) && <Badge tone="attention">Cause known</Badge>}
            </summary>
            <div class="more-body stack">
              <Causes of={each} titled={false} />
              <MailboxTest domain={each.domain} />
            </div>
          </details>
        ))}
      </div>
    </section>
  );
}

function Causes({ of, titled }: { of: Silence; titled: boolean }) {
  return (
    <div class="stack-s">
      {titled ? <h3>{of.domain}</h3> : <h3>Why nothing came, in the order to try</h3>}
      <ol class="silence">
        {of.causes.map((each) => (
          <li key={each.code}>
            <div class="grow">
              <p>
                {each.text} {each.certain && <Badge tone="attention">This is so</Badge>}
              </p>
              <p class="soft">{each.fix}</p>
            </div>
          </li>
        ))}
      </ol>
    </div>
  );
}

/** Sends the synthetic report, and follows it until it is here. */
export function MailboxTest({ domain }: { domain: string }) {
  const [test, setTest] = useState<ReportTest | null>(null);
  const [trouble, setTrouble] = useState("");
  const begin = useAction(() => api.post<ReportTest>("/report-tests", { domain }));
  const waiting = test !== null && test.arrived === null && test.trouble === "" && !(test.finished && test.sent.every((each) => !each.ok));
  useEffect(() => {
    if (!waiting || !test) return;
    const timer = window.setTimeout(() => {
      api
        .get<ReportTest>(`/report-tests/${segment(test.token)}`)
        .then((next) => {
          setTest(next);
          if (next.arrived !== null) announce("The test report arrived.");
        })
        .catch((caught: unknown) => setTrouble(asApiError(caught).message));
    }, 3000);
    return () => window.clearTimeout(timer);
  }, [test, waiting]);
  if (!can("operator")) return <p class="dim small">Testing the mailbox is for operators: ask one, or run mailtight report test {domain}.</p>;
  return (
    <div class="mailbox-test stack-s">
      <div>
        <Button
          kind="primary"
          icon="send"
          busy={begin.busy || waiting}
          onClick={() => {
            setTrouble("");
            void begin.run().then((made) => made && setTest(made));
          }}
        >
          {waiting ? "Waiting for it to arrive" : "Test your mailbox now"}
        </Button>
      </div>
      {begin.error && <Notice tone="bad">{begin.error.message}</Notice>}
      {trouble && <Notice tone="bad">{trouble}</Notice>}
      {test && (
        <div role="status" class="stack-s test-answer">
          {test.trouble && <Notice tone="bad">{test.trouble}</Notice>}
          {test.sent.map((each) => (
            <p key={each.to} class="row">
              <Badge tone={each.ok ? "good" : "bad"}>{each.ok ? "Taken" : "Refused"}</Badge>
              <span class="mono small break">{each.to}</span>
              <span class="soft small break">{each.words}</span>
            </p>
          ))}
          {test.arrived !== null && (
            <Notice tone="good" title="It arrived">
              Your mailbox works. <a href={`/reports/${test.arrived}`}>See the test report</a>: it is marked as a test and never counted.
            </Notice>
          )}
          {waiting && <p class="dim small">A mailbox that is fetched by IMAP is looked at every few minutes. You may leave this page.</p>}
        </div>
      )}
    </div>
  );
}
