// SPDX-License-Identifier: Apache-2.0
// A domain to look after: its name and its goal. Everything else has an answer already, and can be said.
import "../domain/domain.css";
import { useState } from "preact/hooks";
import { api, asApiError, segment } from "../../api/client";
import type { DomainView, ProofRecord, Session, Wish } from "../../api/types";
import { RecordCard } from "../../look/records";
import { go, here, queryOf } from "../../router";
import { useAction } from "../../state/resource";
import { can, session } from "../../state/session";
import { domainFrom, whyNoDomain } from "../../text/names";
import { Button, LinkButton } from "../../ui/button";
import { Choices, SelectField, TextArea, TextField } from "../../ui/field";
import { toast } from "../../ui/live";
import { Empty, Notice, Page } from "../../ui/page";
import { items } from "../domain/wish_form";

interface Draft {
  domain: string;
  aim: "testing" | "enforce";
  leave: Wish["leave"];
  host: Wish["host"];
  dns: Wish["dns"];
  rua: string;
  labels: string;
  owner: string;
}

/** Only what was said: the rest is as configured. */
export function additionOf(draft: Draft): Record<string, unknown> {
  const asked: Record<string, unknown> = { domain: domainFrom(draft.domain), aim: draft.aim, leave: draft.leave, host: draft.host, dns: draft.dns };
  const rua = items(draft.rua).map((to) => (/^(mailto|https):/i.test(to) ? to : `mailto:${to}`));
  if (rua.length) asked.rua = rua;
  const labels = draft.labels.split(",").map((one) => one.trim()).filter(Boolean);
  if (labels.length) asked.labels = labels;
  if (draft.owner.trim()) asked.owner = draft.owner.trim();
  return asked;
}

/** Who serves the policy, until somebody says otherwise: as the server answers it for `domain add`. */
export const hostOf = (who: Session | null | undefined): Wish["host"] => (who?.parts.policy_host ? "here" : "elsewhere");

export default function AddScreen() {
  const start = queryOf(here.value).get("domain") ?? "";
  const [draft, setDraft] = useState<Draft>({ domain: start, aim: "enforce", leave: "records", host: hostOf(session.value), dns: "hand", rua: "", labels: "", owner: "" });
  const [wrong, setWrong] = useState<string | null>(null);
  const [proof, setProof] = useState<{ record: ProofRecord; words: string } | null>(null); // stays while it is looked for
  const set =
    <K extends keyof Draft>(name: K) =>
    (value: Draft[K]) => {
      setDraft((was) => ({ ...was, [name]: value }));
      if (name === "domain") {
        setWrong(null);
        setProof(null);
      }
    };
  const add = useAction(async () => {
    const made = await api.post<DomainView>("/domains", additionOf(draft)).catch((caught: unknown) => {
      const { problem } = asApiError(caught);
      setProof(problem.record ? { record: problem.record, words: problem.detail } : null);
      throw caught;
    });
    toast(`${made.wish.domain} is looked after from now on.`);
    go(`/domains/${segment(made.wish.domain)}`);
  });
  const submit = () => {
    const why = whyNoDomain(domainFrom(draft.domain));
    setWrong(why);
    if (!why) void add.run();
  };
  const back = { href: "/", words: "Overview" };
  if (!can("operator"))
    return (
      <Page title="Add a domain" back={back} narrow>
        <Empty icon="lock" title="Domains are added by operators" actions={<LinkButton href="/check">Check a domain</LinkButton>}>
          <p>You are signed in as a viewer: you may look at everything, and change nothing.</p>
        </Empty>
      </Page>
    );
  return (
    <Page title="Add a domain" sub="Mailtight makes the plan, and leads through it. Nothing is published before you say so." back={back} narrow>
      <form
        class="card"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <div class="card-body settings">
          <TextField label="Domain" large value={draft.domain} set={set("domain")} wrong={wrong} placeholder="example.com" inputMode="url" autocomplete="off" spellcheck={false} name="domain" hint="The part behind the @ of the mail addresses." />
          <Choices
            legend="Goal"
            value={draft.aim}
            set={set("aim")}
            options={[
              { value: "enforce", words: "Enforce", more: "By way of testing: two weeks of reports first, then senders insist on a connection that they can trust." },
              { value: "testing", words: "Testing", more: "Senders check and report, and deliver all the same. You can go on to enforce later." },
            ]}
          />
          <div class="settings-pair">
            <SelectField
              label="Who serves the policy file?"
              {...(!session.value?.parts.policy_host && (draft.host === "here" || draft.host === "proxied")
                ? { hint: <>This Mailtight serves no policies yet: set <code>publish.policy-host</code> and <code>publish.listen</code> in its configuration.</> }
                : {})}
              value={draft.host}
              set={set("host")}
              options={[
                ["here", "Mailtight, with its own certificate"],
                ["proxied", "Mailtight, behind my web server"],
                ["elsewhere", "My own web server"],
                ["delegated", "A provider, by CNAME"],
              ]}
            />
            <SelectField
              label="Who enters the DNS records?"
              value={draft.dns}
              set={set("dns")}
              options={[
                ["hand", "I do, with copy and paste"],
                ["update", "Mailtight (RFC 2136)"],
                ["hook", "A hook of mine"],
              ]}
            />
          </div>
          <details class="more">
            <summary>More settings</summary>
            <div class="settings settings-mx">
              <Choices
                legend="What Mailtight may do by itself"
                value={draft.leave}
                set={set("leave")}
                options={[
                  { value: "nothing", words: "Only watch", more: "It says what is to be done, and does nothing." },
                  { value: "records", words: "Serve policies, get certificates, write DNS", more: "Not change the mode, not remove anything." },
                  { value: "all", words: "All that the plan allows", more: "Enforce too, when the evidence is there." },
                ]}
              />
              <TextArea label="Reports go to" hint="A mailbox or an https address a line. Empty: as configured." value={draft.rua} set={set("rua")} mono rows={2} />
              <div class="settings-pair">
                <TextField label="Labels" hint="With commas between." value={draft.labels} set={set("labels")} />
                {session.value?.tenant === null && <TextField label="Owner" hint="The tenant who sees this domain." value={draft.owner} set={set("owner")} />}
              </div>
            </div>
          </details>
          {proof && <Proof record={proof.record} words={proof.words} busy={add.busy} again={submit} />}
          {add.error && !add.error.problem.record && (
            <div role="alert">
              <Notice tone="bad" title={add.error.status === 409 ? "It is looked after already" : "It was not added"}>
                {add.error.message}
                {add.error.status === 409 && (
                  <>
                    {" "}
                    <a href={`/domains/${segment(domainFrom(draft.domain))}`}>Open it</a>
                  </>
                )}
              </Notice>
            </div>
          )}
        </div>
        <footer class="row-between">
          <LinkButton href={draft.domain ? `/check?domain=${encodeURIComponent(domainFrom(draft.domain))}` : "/check"} kind="quiet">
            Check it first
          </LinkButton>
          <Button kind="primary" type="submit" busy={add.busy}>
            Look after this domain
          </Button>
        </footer>
      </form>
    </Page>
  );
}

/** A tenant shows that a domain is theirs by a record that only its owner can publish. */
function Proof({ record, words, busy, again }: { record: ProofRecord; words: string; busy: boolean; again: () => void }) {
  return (
    <section class="stack" role="alert" aria-labelledby="proof-title">
      <Notice tone="attention" title="Show that this domain is yours">
        <span id="proof-title">Publish this record where you manage the domain’s DNS, then look again. Or ask the operator to allow you the name.</span>
      </Notice>
      <RecordCard record={record} />
      <div class="row-between">
        <p class="soft small break">{words}</p>
        <Button icon="refresh" busy={busy} onClick={again}>
          Look again
        </Button>
      </div>
    </section>
  );
}
