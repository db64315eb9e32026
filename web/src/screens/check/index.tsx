// SPDX-License-Identifier: Apache-2.0
// Type a domain, watch the look, see the truth, be led on. Any domain may be looked at; nothing is kept.
import "./check.css";
import { useEffect } from "preact/hooks";
import { api, segment } from "../../api/client";
import type { Check, DomainView } from "../../api/types";
import { here, queryOf, setQuery } from "../../router";
import { can } from "../../state/session";
import { useResource } from "../../state/resource";
import { Button, LinkButton } from "../../ui/button";
import { Code } from "../../ui/copy";
import { Failed, Notice, Page } from "../../ui/page";
import { domainFrom, readable, whyNoDomain } from "../../text/names";
import { DomainForm } from "../../look/domain_form";
import { Needs } from "../../look/needs";
import { PartTiles } from "../../look/parts";
import { RecordCard } from "../../look/records";
import { Seen } from "../../look/seen";
import { Stages } from "../../look/stages";
import { useLook } from "../../look/stream";
import { isNoDomain, VerdictHead } from "../../look/verdict";

export default function CheckScreen() {
  const asked = domainFrom(queryOf(here.value).get("domain") ?? "");
  const { look, start, stop } = useLook();
  useEffect(() => {
    if (asked && !whyNoDomain(asked)) start(asked);
    else stop();
  }, [asked]);
  const submit = (domain: string) => {
    if (domain === asked) start(domain);
    else setQuery({ domain });
  };
  return (
    <Page title={asked ? `Check ${readable(asked)}` : "Check a domain"} head="Check a domain" sub="Looked at as senders do: DNS, policy file, mail servers, certificates. Nothing is changed, nothing is kept." narrow>
      <div class="stack">
        <div class="card check-form">
          <DomainForm key={asked} start={asked} button={look.running ? "Look again" : "Check"} submit={submit} />
        </div>
        {look.error && <Failed error={look.error} retry={() => start(asked)} />}
        {look.check ? <Found check={look.check} again={() => start(asked)} stages={look.stages} /> : look.running && <Running stages={look.stages} stop={stop} />}
        {!asked && !look.running && !look.check && <Explained />}
      </div>
    </Page>
  );
}

const Running = ({ stages, stop }: { stages: Parameters<typeof Stages>[0]["stages"]; stop: () => void }) => (
  <section class="card" aria-label="The look">
    <header>
      <h2>Looking…</h2>
      <Button size="small" kind="quiet" onClick={stop}>
        Stop
      </Button>
    </header>
    <div>
      <Stages stages={stages} running />
    </div>
  </section>
);

/** Whether it is one of ours already decides where to go from here. */
function Onward({ domain }: { domain: string }) {
  const kept = useResource<DomainView>(`kept ${domain}`, (signal) => api.get(`/domains/${segment(domain)}`, undefined, signal));
  if (kept.loading) return null;
  if (kept.data)
    return (
      <LinkButton kind="primary" href={`/domains/${segment(domain)}`} icon="right">
        Open this domain
      </LinkButton>
    );
  if (!can("operator")) return null;
  return (
    <LinkButton kind="primary" href={`/domains/new?domain=${encodeURIComponent(domain)}`} icon="shield">
      Protect this domain
    </LinkButton>
  );
}

function Found({ check, again, stages }: { check: Check; again: () => void; stages: Parameters<typeof Stages>[0]["stages"] }) {
  const missing = check.suggestion.records.filter((one) => !one.already_right);
  return (
    <>
      <VerdictHead check={check}>
        <Button icon="refresh" onClick={again}>
          Again
        </Button>
        {!isNoDomain(check) && <Onward domain={check.domain} />}
      </VerdictHead>
      {!isNoDomain(check) && <PartTiles parts={check.parts} check={check} />}
      <Seen check={check} />
      {(missing.length > 0 || (check.suggestion.policy && !check.suggestion.policy_already_right)) && (
        <section class="card">
          <header>
            <h2>What to publish</h2>
          </header>
          <div class="stack">
            <Notice tone="attention" title="The order matters">
              The policy file comes before the record that announces it. Let Mailtight lead you through it, with waits where senders need them.
            </Notice>
            <Needs needs={check.suggestion.needs} />
            {check.suggestion.policy && !check.suggestion.policy_already_right && (
              <div class="stack-s">
                <h3>Policy file</h3>
                <p class="small soft break">https://mta-sts.{check.domain}/.well-known/mta-sts.txt</p>
                <Code text={check.suggestion.policy} what="the policy file" />
              </div>
            )}
            {missing.length > 0 && (
              <div class="stack-s">
                <h3>DNS records</h3>
                {missing.map((one) => (
                  <div class="stack-s" key={one.name + one.type}>
                    {(one.replaces ?? []).map((old) => (
                      <RecordCard record={{ name: one.name, type: old.type, value: old.value, remove: true }} key={old.type + old.value} />
                    ))}
                    <RecordCard record={one} />
                  </div>
                ))}
              </div>
            )}
          </div>
        </section>
      )}
      {stages.length > 0 && (
        <details class="more check-stages">
          <summary>How it was looked at</summary>
          <Stages stages={stages} running={false} />
        </details>
      )}
    </>
  );
}

const Explained = () => (
  <div class="check-explained">
    <section>
      <h2>What is looked at</h2>
      <ul>
        <li>The MTA-STS record, and every name server's answer</li>
        <li>The policy file, over every address of its host</li>
        <li>Each mail server: STARTTLS, TLS version, certificate, DANE</li>
        <li>The record that asks senders for TLS reports</li>
      </ul>
    </section>
    <section>
      <h2>What you get</h2>
      <ul>
        <li>A verdict: what senders do with mail to this domain</li>
        <li>Each fault with its evidence, its consequence and its fix</li>
        <li>The policy and records that fit, ready to copy</li>
      </ul>
    </section>
  </div>
);
