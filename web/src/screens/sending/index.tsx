// SPDX-License-Identifier: Apache-2.0
// Sending: which policies our mail servers follow, what failed, the exceptions, and the reports that go out.
import { api } from "../../api/client";
import type { Sending } from "../../api/types";
import { changedQuery, go, here, queryOf } from "../../router";
import { type Resource, useResource } from "../../state/resource";
import { session } from "../../state/session";
import { count, plural, share } from "../../text/format";
import { Empty, Failed, Page, TileBones } from "../../ui/page";
import { Spark } from "../../ui/spark";
import { Tabs } from "../../ui/tabs";
import "../../styles/data.css";
import { Destinations } from "./destinations";
import { Explain, ExplainForm } from "./explain";
import { Exceptions } from "./exceptions";
import { Failing } from "./failing";
import { Outgoing } from "./outgoing";
import "./sending.css";

const tabs = ["destinations", "failures", "exceptions", "reports"] as const;
type Tab = (typeof tabs)[number];
const names: Record<Tab, string> = { destinations: "Destinations", failures: "Failures", exceptions: "Exceptions", reports: "Our reports" };

export default function SendingScreen() {
  const tenant = session.value?.tenant !== null && session.value?.tenant !== undefined;
  const query = queryOf(here.value);
  const typed = query.get("tab") as Tab | null;
  const tab = typed && tabs.includes(typed) ? typed : "destinations";
  const explained = (query.get("explain") ?? "").trim();
  const sending = useResource<Sending>(tenant ? null : "sending", (signal) => api.get("/sending", undefined, signal), 60);
  if (tenant)
    return (
      <Page title="Sending">
        <Empty icon="lock" title="This is of the whole installation">
          <p>You see the domains of one owner. Ask whoever runs this machine about outgoing mail.</p>
        </Empty>
      </Page>
    );
  const data = sending.data;
  const off = data !== null && !data.parts.policies && !data.parts.results && !data.parts.reports;
  return (
    <Page title="Sending" sub="How mail leaves your servers: which destinations ask for protection, what was decided, and what came of it.">
      {sending.error && !data ? (
        <Failed error={sending.error} retry={sending.reload} what="Sending" />
      ) : !data ? (
        <TileBones />
      ) : off ? (
        <Off />
      ) : (
        <div class="stack">
          <Headline of={data} />
          {data.parts.policies && <ExplainForm value={explained} ask={(domain) => go(here.value.path + changedQuery(here.value.search, { explain: domain }), { keep: true })} />}
          {explained && <Explain key={explained} domain={explained} close={() => go(here.value.path + changedQuery(here.value.search, { explain: null }), { keep: true })} />}
          <Tabs
            label="Parts of sending"
            at={tab}
            tabs={tabs.map((name) => ({ name, title: names[name], href: name === "destinations" ? "/sending" : `/sending?tab=${name}`, count: numberOf(name, data) }))}
          />
          <Shown tab={tab} sending={sending} of={data} />
        </div>
      )}
    </Page>
  );
}

const numberOf = (tab: Tab, of: Sending): number => (tab === "failures" ? of.failures.length : tab === "reports" ? of.outbox.waiting : tab === "destinations" ? of.destinations : 0);

function Shown({ tab, of }: { tab: Tab; sending: Resource<Sending>; of: Sending }) {
  if (tab === "failures") return <Failing of={of} />;
  if (tab === "exceptions") return of.parts.policies ? <Exceptions /> : <PartOff part="policies" />;
  if (tab === "reports") return of.parts.reports ? <Outgoing /> : <PartOff part="reports" />;
  return of.parts.policies ? <Destinations /> : <PartOff part="policies" />;
}

function Headline({ of }: { of: Sending }) {
  const good = of.days.reduce((sum, each) => sum + each.success, 0);
  const bad = of.days.reduce((sum, each) => sum + each.failure, 0);
  const { enforce = 0, testing = 0 } = of.decisions;
  return (
    <ul class="tiles">
      {of.parts.policies && (
        <li class="tile">
          <span class="tile-name">Destinations kept</span>
          <a class="tile-figure" href="/sending">
            {count(of.destinations)}
          </a>
          <span class="tile-more">
            {count(enforce)} enforce, {count(testing)} testing
          </span>
        </li>
      )}
      {of.parts.policies && (
        <li class="tile">
          <span class="tile-name">Questions of mail servers</span>
          <span class="tile-figure">{count(of.answers)}</span>
          <span class="tile-more">{of.answers === 0 ? "none has asked yet" : "since the start"}</span>
        </li>
      )}
      {of.parts.results && (
        <li class="tile">
          <span class="tile-name">Sessions in 30 days</span>
          <span class="row sessions-figure">
            <span class="tile-figure">{count(good + bad)}</span>
            <Spark series={of.days.map((each) => [each.success, each.failure])} width={104} height={26} />
          </span>
          <span class="tile-more">
            {bad > 0 ? (
              <a href="/sending?tab=failures" class="tone-bad">
                {count(bad)} failed ({share(bad, good + bad)})
              </a>
            ) : (
              "none failed"
            )}
          </span>
        </li>
      )}
      {of.parts.reports && (
        <li class="tile">
          <span class="tile-name">Our reports</span>
          <a class="tile-figure" href="/sending?tab=reports">
            {count(of.outbox.sent)} sent
          </a>
          <span class="tile-more">
            {plural(of.outbox.waiting, "delivery", "deliveries")} waiting
            {of.outbox.refused + of.outbox.given_up > 0 && <span class="tone-bad">, {count(of.outbox.refused + of.outbox.given_up)} failed</span>}
          </span>
        </li>
      )}
    </ul>
  );
}

const switchOn = { policies: "[resolve]", results: "[collect]", reports: "[deliver]" };

function PartOff({ part }: { part: keyof typeof switchOn }) {
  return (
    <section class="card">
      <Empty icon="pause" title="This part is switched off">
        <p>
          The section <code>{switchOn[part]}</code> of the configuration switches it on. <code>mailtight doctor</code> prints the lines for your mail server.
        </p>
      </Empty>
    </section>
  );
}

function Off() {
  return (
    <section class="card">
      <Empty icon="send" title="Your outgoing mail is not looked after yet">
        <p>
          With the section <code>[resolve]</code> Mailtight tells Postfix, Exim or Sendmail which destinations must be reached over verified TLS; with <code>[collect]</code> and{" "}
          <code>[deliver]</code> it reports failures to them. Run <code>mailtight doctor</code> on your mail server: it prints the lines to add.
        </p>
      </Empty>
    </section>
  );
}
