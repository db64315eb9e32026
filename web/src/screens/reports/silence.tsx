// SPDX-License-Identifier: Apache-2.0
// Nothing came: what is normal, why it may be, and a test of the mailbox.
import type { Summary } from "../../api/types";
import { ReportTest } from "../../look/report_test";
import { LinkButton } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { Empty } from "../../ui/page";
import { Badge } from "../../ui/status";

type Silence = Summary["silence"][number];

export function NoReports({ silence, domain }: { silence: Silence[]; domain: string }) {
  const one = silence.find((each) => each.domain === domain) ?? (silence.length === 1 ? silence[0] : undefined);
  const about = domain || one?.domain || "";
  return (
    <section class="card">
      <Empty icon="mail" title="No reports yet" actions={about ? undefined : <LinkButton href="/read" icon="upload">Read a report from a file</LinkButton>}>
        <p>Senders report once a day, so the first usually comes 24 to 48 hours after the record is visible. Test your mailbox now.</p>
        {about && <ReportTest domain={about} main />}
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
      <div class="flush">
        {silence.map((each) => (
          <details class="quiet-domain fold" key={each.domain}>
            <summary>
              <span class="grow">
                <span class="strong break">{each.domain}</span>
                {each.causes[0] && <span class="block dim small">{each.causes[0].text}</span>}
              </span>
              <Icon name="chevron" size={14} />
            </summary>
            <div class="stack">
              <Causes of={each} titled={false} />
              <ReportTest domain={each.domain} />
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
