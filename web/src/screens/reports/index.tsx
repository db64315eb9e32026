// SPDX-License-Identifier: Apache-2.0
// Reports received: how much came through, what failed and why, and whether enforce is safe.
import { address, api, segment } from "../../api/client";
import type { FailureList, Readiness, Summary } from "../../api/types";
import { daysWords } from "../../charts/days";
import { MxMatrix } from "../../charts/mx_matrix";
import { graphOf, graphWords } from "../../charts/series";
import { ReadyGauge } from "../../charts/ready_gauge";
import { TimeGraph } from "../../charts/time_graph";
import { here } from "../../router";
import { useResource } from "../../state/resource";
import { can, now } from "../../state/session";
import { count, plural, share, shortDay } from "../../text/format";
import { LinkButton } from "../../ui/button";
import { Bones, Failed, Notice, Page, TileBones } from "../../ui/page";
import { Badge } from "../../ui/status";
import { Failures } from "./failures";
import { type Filter, ask, linkTo, readFilter, readList } from "./filter";
import { FilterBar } from "./filter_bar";
import { Reports } from "./report_list";
import "../../styles/data.css";
import "./reports.css";
import { NoReports, QuietDomains } from "./silence";

export default function ReportsScreen() {
  const today = new Date(now()).toISOString().slice(0, 10);
  const { search } = here.value;
  const filter = readFilter(search, today);
  const list = readList(search);
  const query = ask(filter);
  const summary = useResource<Summary>(address("/report-summary", query), (signal) => api.get("/report-summary", query, signal));
  const failures = useResource<FailureList>(address("/failures", query), (signal) => api.get("/failures", query, signal));
  const data = summary.data;
  const sessions = data ? data.headline.success + data.headline.failure : 0;
  const never = data !== null && data.newest === null;
  return (
    <Page
      title="Reports"
      sub={never ? "What other mail servers tell of deliveries to your domains." : `What other mail servers tell of deliveries to your domains, ${daysWords(filter.from, filter.to)}.`}
      actions={
        <LinkButton href="/read" icon="upload">
          Read a file
        </LinkButton>
      }
    >
      <div class="stack reports-page">
        {!never && <FilterBar filter={filter} summary={data} today={today} />}
        {summary.error && !data ? (
          <Failed error={summary.error} retry={summary.reload} what="The summary" />
        ) : !data ? (
          <TileBones />
        ) : never ? (
          <NoReports silence={data.silence} domain={filter.domain} />
        ) : (
          <div class={summary.busy ? "stack busy" : "stack"} aria-busy={summary.busy}>
            <Headline summary={data} filter={filter} sessions={sessions} />
            {sessions === 0 ? (
              <NothingHere summary={data} filter={filter} />
            ) : (
              <section class="card" aria-labelledby="graph-title">
                <header>
                  <h2 id="graph-title">Sessions over time</h2>
                </header>
                <div class="card-body">
                  <TimeGraph summary={data} from={filter.from} to={filter.to} link={(from, to) => linkTo(filter, { from, to }, {}, "reports")} />
                  <p class="dim small graph-words">
                    {graphWords(graphOf(data, filter.from, filter.to))} Sessions are not messages: a sender that fails tries again. Senders report of a day on the next.
                  </p>
                </div>
              </section>
            )}
            {sessions > 0 && (
              <section class="card clipped" aria-labelledby="failures-title">
                <header>
                  <h2 id="failures-title">What failed, and what to do</h2>
                  {!can("operator") && <span class="dim small">Muting is for operators.</span>}
                </header>
                <div class="flush">
                  <Failures list={failures} filter={filter} />
                </div>
              </section>
            )}
            <Domains summary={data} filter={filter} />
            {data.reporter_mx.length > 0 && (
              <section class="card clipped" aria-labelledby="matrix-title">
                <header>
                  <div>
                    <h2 id="matrix-title">Who sees which mail server fail</h2>
                    <p class="dim small">Many reporters in one column: the fault is at that server. One row alone: the path or cache of that reporter.</p>
                  </div>
                </header>
                <div class="flush">
                  <MxMatrix summary={data} link={(change) => linkTo(filter, change, { failures: true }, "reports")} />
                </div>
              </section>
            )}
            <NotCounted summary={data} filter={filter} />
            <QuietDomains silence={data.silence} />
          </div>
        )}
        {!never && <Reports filter={filter} list={list} />}
      </div>
    </Page>
  );
}

function Headline({ summary, filter, sessions }: { summary: Summary; filter: Filter; sessions: number }) {
  const { failure } = summary.headline;
  const reporters = new Set(summary.reporters.map((each) => each.reporter)).size;
  const reports = summary.reporters.reduce((sum, each) => sum + each.reports, 0);
  return (
    <ul class="tiles">
      <li class="tile">
        <span class="tile-name">Sessions</span>
        <a class="tile-figure" href={linkTo(filter, {}, {}, "reports")}>
          {count(sessions)}
        </a>
        <span class="tile-more">in {plural(reports, "report")}</span>
      </li>
      <li class="tile">
        <span class="tile-name">Failed</span>
        <a class={`tile-figure ${failure > 0 ? "tone-bad" : "tone-good"}`} href={linkTo(filter, {}, { failures: true }, "reports")}>
          {count(failure)}
        </a>
        <span class="tile-more">{sessions === 0 ? "no sessions" : failure === 0 ? "everything came through" : `${share(failure, sessions)} of all`}</span>
      </li>
      <li class="tile">
        <span class="tile-name">Reporters</span>
        <span class="tile-figure">{count(reporters)}</span>
        <span class="tile-more">{verifiedWords(new Set(summary.reporters.filter((each) => each.verified).map((each) => each.reporter)).size, reporters)}</span>
      </li>
      <li class="tile">
        <span class="tile-name">Newest day</span>
        {summary.newest ? (
          <a class="tile-figure" href={linkTo(filter, { from: summary.newest, to: summary.newest }, {}, "reports")}>
            {shortDay(summary.newest, now())}
          </a>
        ) : (
          <span class="tile-figure">–</span>
        )}
        <span class="tile-more">senders write once a day</span>
      </li>
    </ul>
  );
}

const verifiedWords = (verified: number, all: number): string => (all === 0 ? "nobody yet" : verified === all ? (all === 1 ? "verified" : "all verified") : `${count(verified)} verified`);

function NothingHere({ summary, filter }: { summary: Summary; filter: Filter }) {
  return (
    <Notice tone="unknown" title="No sessions are reported here">
      {summary.newest ? (
        <>
          The newest report is of {shortDay(summary.newest, now())}. <a href={linkTo(filter, { from: summary.newest, to: summary.newest })}>Show that day</a>, or{" "}
          <a href={linkTo({ ...filter, domain: "", reporter: "", result: "", mx: "" }, { days: 365 })}>all of a year</a>.
        </>
      ) : (
        "Choose a longer period, or leave out a filter."
      )}
    </Notice>
  );
}

/** One domain: whether enforce is safe. Several: each leads to its own view. */
function Domains({ summary, filter }: { summary: Summary; filter: Filter }) {
  const only = filter.domain || (summary.domains.length === 1 ? (summary.domains[0]?.domain ?? "") : "");
  if (only) return <Ready key={only} domain={only} />; // an answer is never shown under another domain's name
  if (summary.domains.length === 0) return null;
  const most = Math.max(1, ...summary.domains.map((each) => each.success + each.failure));
  return (
    <section class="card" aria-labelledby="domains-title">
      <header>
        <div>
          <h2 id="domains-title">Domains</h2>
          <p class="dim small">Choose one to see whether it is ready for enforce.</p>
        </div>
      </header>
      <ul class="domain-bars">
        {summary.domains.slice(0, 12).map((each) => (
          <li key={each.domain}>
            <a class="strong break" href={linkTo(filter, { domain: each.domain })}>
              {each.domain}
            </a>
            <svg class="domain-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
              <rect class="bar-ok" width={(100 * (each.success + each.failure)) / most} height="6" />
              <rect class="bar-bad" width={each.failure > 0 ? Math.max(0.8, (100 * each.failure) / most) : 0} height="6" />
            </svg>
            <span class="num nowrap">{plural(each.success + each.failure, "session")}</span>
            <span class="num nowrap">{each.failure > 0 ? <span class="tone-bad">{share(each.failure, each.success + each.failure)} failed</span> : <span class="tone-good">none failed</span>}</span>
          </li>
        ))}
      </ul>
      {summary.domains.length > 12 && <p class="dim small card-body">Those with the most failures. Type another above.</p>}
    </section>
  );
}

function Ready({ domain }: { domain: string }) {
  const ready = useResource<Readiness>(`ready ${domain}`, (signal) => api.get(`/domains/${segment(domain)}/readiness`, undefined, signal));
  if (ready.error?.status === 404) return null; // reports come for a domain that nobody looks after here
  return (
    <section class="card" aria-labelledby="ready-title">
      <header>
        <div>
          <h2 id="ready-title">
            Ready for enforce?{" "}
            {ready.data && <Badge tone={ready.data.ready === true ? "good" : ready.data.ready === false ? "attention" : "unknown"}>{ready.data.ready === true ? "Yes" : ready.data.ready === false ? "Not yet" : "Cannot be said"}</Badge>}
          </h2>
          <p class="dim small">{domain}</p>
        </div>
        <LinkButton size="small" href={`/domains/${segment(domain)}`}>
          Its plan
        </LinkButton>
      </header>
      <div class="card-body">{ready.error ? <Failed error={ready.error} retry={ready.reload} what="The answer" /> : ready.data ? <ReadyGauge readiness={ready.data} /> : <Bones lines={5} />}</div>
    </section>
  );
}

function NotCounted({ summary, filter }: { summary: Summary; filter: Filter }) {
  const many = summary.not_counted.reduce((sum, each) => sum + (typeof each.reports === "number" ? each.reports : 0), 0);
  if (many === 0) return null;
  return (
    <Notice tone="attention" title={`${plural(many, "report")} kept apart`}>
      They are not counted: not verified, or about a domain that is not yours. <a href={linkTo(filter, {}, { what: "quarantined" }, "reports")}>See them, each with its reason</a>.
    </Notice>
  );
}
