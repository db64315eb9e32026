// SPDX-License-Identifier: Apache-2.0
// The policy file and the DNS records, in the words of the provider's form or the language of a tool.
import { api, segment } from "../../api/client";
import type { DnsForm, DomainView, PartState } from "../../api/types";
import { Needs } from "../../look/needs";
import { RecordCard } from "../../look/records";
import { here, queryOf, setQuery } from "../../router";
import { useResource } from "../../state/resource";
import { Code } from "../../ui/copy";
import { Bones, Failed, Notice } from "../../ui/page";
import { Badge } from "../../ui/status";

const formats: [string, string][] = [
  ["form", "Web form"],
  ["bind", "Zone file (BIND)"],
  ["nsupdate", "nsupdate"],
  ["dnscontrol", "dnscontrol"],
  ["octodns", "octoDNS"],
  ["terraform", "Terraform"],
  ["cloudflare", "Cloudflare API"],
  ["route53", "Route 53"],
];
const ways: Record<DomainView["wish"]["dns"], string> = {
  hand: "You enter these records at your DNS provider.",
  update: "Mailtight writes these records itself (RFC 2136).",
  hook: "Your hook writes these records.",
};

export function DnsTab({ view }: { view: DomainView }) {
  const domain = view.wish.domain;
  const chosen = queryOf(here.value).get("form");
  const format = formats.find(([name]) => name === chosen)?.[0] ?? "form";
  const asked = format === "form" ? "table" : format;
  const form = useResource<DnsForm>(`records ${domain} ${asked}`, (signal) => api.get(`/domains/${segment(domain)}/records`, { format: asked, all: true }, signal));
  const policy = view.look?.policy;
  const wanted = view.look?.suggestion.policy ?? "";
  const right = view.look?.suggestion.policy_already_right ?? false;
  const valid = view.look?.parts.policy_file === "valid"; // then the other one is only better
  return (
    <div class="stack">
      <section class="card">
        <header>
          <h2>Policy file</h2>
          <PolicyBadge state={view.row.parts.policy_file} right={right} />
        </header>
        <div class="stack">
          <p class="small soft break">https://mta-sts.{domain}/.well-known/mta-sts.txt</p>
          {policy?.text && (
            <div class="stack-s">
              {!right && <h3>Served now</h3>}
              <Code text={policy.text} what="the policy that is served" />
            </div>
          )}
          {wanted && !right && (
            <div class="stack-s">
              <h3>{valid ? "What the plan leads to" : "What should be served"}</h3>
              <Code text={wanted} what={valid ? "the policy that the plan leads to" : "the policy that should be served"} />
            </div>
          )}
          {!policy?.text && !wanted && <p class="soft">Nothing is known yet.</p>}
        </div>
      </section>
      <section class="card">
        <header>
          <div>
            <h2>DNS records</h2>
            <p class="small soft">{ways[view.wish.dns]}</p>
          </div>
          <select class="select dns-format" aria-label="Form of the records" value={format} onChange={(event) => setQuery({ form: event.currentTarget.value === "form" ? null : event.currentTarget.value })}>
            {formats.map(([name, words]) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
          </select>
        </header>
        <div class="stack">
          {form.error ? <Failed error={form.error} retry={form.reload} /> : !form.data ? <Bones lines={6} /> : <Records form={form.data} plain={format !== "form"} name={formats.find(([one]) => one === format)?.[1] ?? ""} />}
        </div>
      </section>
    </div>
  );
}

function PolicyBadge({ state, right }: { state: PartState; right: boolean }) {
  if (state === "missing") return <Badge tone="bad">Missing</Badge>;
  if (state === "invalid") return <Badge tone="bad">To be changed</Badge>;
  if (state === "not-tested") return <Badge>Not tested</Badge>;
  return <Badge tone="good">{right ? "As it should be" : "Valid"}</Badge>;
}

function Records({ form, plain, name }: { form: DnsForm; plain: boolean; name: string }) {
  if (plain) return form.text.trim() ? <Code text={form.text} what={`the records for ${name}`} /> : <p class="soft">Every record is published: there is nothing to enter.</p>;
  const labels = form.provider ? { labels: form.provider.labels } : {};
  return (
    <>
      {form.provider && (
        <Notice icon="info">
          The fields and names are as in the form of <strong>{form.provider.name}</strong>
          {form.provider.guessed && ", which the name servers point to"}.
        </Notice>
      )}
      <Needs needs={form.needs} />
      {form.records.map((one) => (
        <div class="stack-s" key={one.name + one.type + one.value}>
          {one.replaces.map((old) => (
            <RecordCard key={old.type + old.value} record={{ name: one.name, type: old.type, value: old.value, remove: true }} named={one.in_form} {...labels} />
          ))}
          <RecordCard record={one} named={one.in_form} {...labels} />
        </div>
      ))}
      {!form.records.length && <p class="soft">There is no record to publish.</p>}
    </>
  );
}
