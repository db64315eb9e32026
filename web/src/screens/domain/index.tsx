// SPDX-License-Identifier: Apache-2.0
// One domain: where it is on its way, what is to be done, what was seen, and everything to copy.
import "./domain.css";
import { useEffect } from "preact/hooks";
import { api, segment } from "../../api/client";
import type { DomainView, Plan, Readiness } from "../../api/types";
import { changedQuery, here, queryOf, setQuery } from "../../router";
import { useResource } from "../../state/resource";
import { can } from "../../state/session";
import { readable } from "../../text/names";
import { count, course, share } from "../../text/format";
import { PartTiles } from "../../look/parts";
import { useLook } from "../../look/stream";
import { Button, LinkButton } from "../../ui/button";
import { DomainName } from "../../ui/domain_name";
import { Bones, Failed, Notice, Page } from "../../ui/page";
import { Spark } from "../../ui/spark";
import { Tabs } from "../../ui/tabs";
import { VerdictBadge } from "../../ui/status";
import { Ago } from "../../ui/time";
import type { ScreenProps } from "..";
import { useDoing } from "./doing";
import { FindingsTab } from "./findings_tab";
import { ForceDialog } from "./force_dialog";
import { DnsTab } from "./dns_tab";
import { HistoryTab } from "./history_tab";
import { journey } from "./journey";
import { NextStep } from "./next_step";
import { PlanTab } from "./plan_tab";
import { Rail } from "./rail";
import { ReadinessCard } from "./readiness";
import { SettingsTab } from "./settings_tab";

const tabs = [
  ["plan", "Plan"],
  ["findings", "Findings"],
  ["dns", "Policy and DNS"],
  ["history", "History"],
  ["settings", "Settings"],
] as const;
type Tab = (typeof tabs)[number][0];

export default function DomainScreen({ params }: ScreenProps) {
  const domain = (params.domain ?? "").toLowerCase();
  const path = `/domains/${segment(domain)}`;
  const view = useResource<DomainView>(domain, (signal) => api.get(path, undefined, signal), 60);
  const plan = useResource<Plan>(view.data ? domain : null, (signal) => api.get(`${path}/plan`, undefined, signal), 60);
  const readiness = useResource<Readiness>(view.data ? domain : null, (signal) => api.get(`${path}/readiness`, undefined, signal));
  const { look, start, stop } = useLook();
  const doing = useDoing(domain, view, plan, () => {
    view.reload();
    readiness.reload();
  });
  useEffect(() => {
    if (look.check) {
      view.reload();
      plan.reload();
    }
  }, [look.check]);

  const back = { href: "/", words: "Overview" };
  if (view.error && !view.data)
    return (
      <Page title={readable(domain)} back={back}>
        <Failed
          error={view.error}
          retry={view.reload}
          what={readable(domain)}
          instead={
            can("operator") && (
              <>
                <LinkButton href={`/check?domain=${encodeURIComponent(domain)}`} icon="scan">
                  Check it
                </LinkButton>
                <LinkButton href={`/domains/new?domain=${encodeURIComponent(domain)}`} kind="primary" icon="plus">
                  Look after it
                </LinkButton>
              </>
            )
          }
        />
      </Page>
    );
  if (!view.data)
    return (
      <Page title={readable(domain)} head={<DomainName name={domain} both />} back={back}>
        <Waiting />
      </Page>
    );

  const asked = queryOf(here.value).get("tab");
  const tab: Tab = tabs.find(([name]) => name === asked)?.[0] ?? "plan";
  const row = view.data.row;
  const found = (look.check ?? view.data.look)?.findings.filter((one) => one.severity === "error" || one.severity === "warning").length ?? 0;
  const lookNow = () => {
    setQuery({ tab: "findings" });
    start(domain);
  };
  return (
    <Page
      title={readable(domain)}
      head={<DomainName name={domain} both />}
      back={back}
      sub={
        <span class="row domain-sub">
          <VerdictBadge verdict={look.check?.verdict ?? row.verdict} {...(look.check ? {} : { light: row.light })} />
          <span class="small soft">{course({ mode: row.mode, aim: view.data.wish.aim, verdict: row.verdict })}</span>
          {row.labels.map((label) => (
            <a class="label-chip domain-label" href={`/?label=${encodeURIComponent(label)}`} key={label}>
              {label}
            </a>
          ))}
          <span class="small dim">
            {(look.check ?? view.data.looked_at) && (
              <>
                looked at <Ago at={look.check?.checked_at ?? view.data.looked_at} />
              </>
            )}
          </span>
        </span>
      }
      actions={
        <>
          <LinkButton href={`/reports?domain=${encodeURIComponent(domain)}`} icon="reports">
            Reports
          </LinkButton>
          <Button icon="scan" busy={look.running} onClick={lookNow}>
            {look.running ? "Looking…" : "Look now"}
          </Button>
        </>
      }
    >
      <div class="stack domain">
        {view.data.wish.paused && (
          <Notice tone="attention" title="This domain is paused">
            It goes back to testing, or stays there, until you let it go on in its settings.
          </Notice>
        )}
        <section class="card rail-card" aria-label="Journey">
          <Rail stations={journey(plan.data, view.data)} />
        </section>
        <Tabs
          label="About this domain"
          at={tab}
          tabs={tabs.map(([name, title]) => ({
            name,
            title,
            href: here.value.path + changedQuery(here.value.search, { tab: name === "plan" ? null : name }),
            ...(name === "findings" ? { count: found } : {}),
            ...(name === "plan" && yourTurn(plan.data) ? { mark: "it is your turn" } : {}),
          }))}
        />
        <div class="domain-columns">
          <div class="stack domain-main">
            {tab === "plan" &&
              (plan.data ? (
                <>
                  <NextStep plan={plan.data} wish={view.data.wish} doing={doing} broken={row.light === "bad"} />
                  <PlanTab plan={plan.data} />
                </>
              ) : plan.error ? (
                <Failed error={plan.error} retry={plan.reload} />
              ) : (
                <Bones block />
              ))}
            {tab === "findings" && <FindingsTab view={view.data} look={look} start={lookNow} stop={stop} />}
            {tab === "dns" && <DnsTab view={view.data} />}
            {tab === "history" && <HistoryTab domain={domain} />}
            {tab === "settings" && (
              <SettingsTab
                view={view.data}
                changed={(now) => {
                  view.set(now);
                  plan.reload();
                }}
              />
            )}
          </div>
          <aside class="stack domain-side" aria-label="At a glance">
            <PartTiles parts={look.check?.parts ?? row.parts} check={look.check ?? view.data.look} />
            <Sessions view={view.data} />
            {readiness.data && view.data.wish.aim === "enforce" && row.mode === "testing" && <ReadinessCard readiness={readiness.data} />}
          </aside>
        </div>
      </div>
      {doing.forcing && <ForceDialog doing={doing} domain={domain} />}
    </Page>
  );
}

/** Whether the next step is a person's, and can be done now. */
const yourTurn = (plan: Plan | null): boolean => {
  const next = plan?.steps.find((one) => one.number === plan.next);
  return next?.state === "now" && (next.by === "person" || next.on_word);
};

/** The shape of what is coming, so that nothing jumps when it is there. */
const Waiting = () => (
  <div class="stack domain">
    <span class="bone domain-bone-rail" />
    <div class="domain-columns">
      <Bones block />
      <Bones block />
    </div>
  </div>
);

/** What senders say, in one figure; the reports are a click away. */
function Sessions({ view }: { view: DomainView }) {
  const { success, failure } = view.row.sessions;
  const all = success + failure;
  return (
    <section class="card">
      <header>
        <h2>Sessions, 30 days</h2>
        <a class="small" href={`/reports?domain=${encodeURIComponent(view.row.domain)}`}>
          All reports
        </a>
      </header>
      {all ? (
        <div class="stack-s">
          <Spark series={view.row.series} width={252} height={48} />
          <p>
            <strong>{count(all)}</strong> <span class="soft">reported,</span>{" "}
            {failure ? (
              <span class="tone-bad">
                {count(failure)} failed ({share(failure, all)})
              </span>
            ) : (
              <span class="tone-good">none failed</span>
            )}
          </p>
        </div>
      ) : (
        <p class="soft small">No reports yet. Senders report once a day, so the first usually comes 24 to 48 hours after the record is visible.</p>
      )}
    </section>
  );
}
