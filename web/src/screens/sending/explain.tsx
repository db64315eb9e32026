// SPDX-License-Identifier: Apache-2.0
// One destination explained: the decision and why, what mail servers are told, and what is kept; looked up anew where
// wanted.
import { useEffect, useState } from "preact/hooks";
import { ApiError, api, segment } from "../../api/client";
import type { Decision, KeptPolicy, Override } from "../../api/types";
import { useAction, useResource } from "../../state/resource";
import { can } from "../../state/session";
import { Button } from "../../ui/button";
import { Code } from "../../ui/copy";
import { TextField } from "../../ui/field";
import { Icon } from "../../ui/icon";
import { toast } from "../../ui/live";
import { Bones, Failed, Notice } from "../../ui/page";
import { Badge } from "../../ui/status";
import { Ago, Moment } from "../../ui/time";
import { decisionWords, overrideWords } from "./decision";
import { OverrideDialog } from "./exceptions";

interface Refreshed {
  looked: boolean;
  changed: boolean;
  words: string;
}

export function ExplainForm({ value, ask }: { value: string; ask: (domain: string) => void }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  return (
    <form
      class="explain-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.trim()) ask(typed.trim().toLowerCase());
      }}
    >
      <TextField label="How is mail to a destination delivered?" value={typed} set={setTyped} placeholder="partner.example" autocomplete="off" spellcheck={false} />
      <Button type="submit" icon="search">
        Explain
      </Button>
    </form>
  );
}

/** Null where there is none. */
async function orNone<T>(ask: Promise<T>): Promise<T | null> {
  try {
    return await ask;
  } catch (caught) {
    if (caught instanceof ApiError && caught.status === 404) return null;
    throw caught;
  }
}

const sources: Record<string, string> = { live: "looked up just now", cache: "from memory", override: "by an exception", dane: "by DANE", key: "by a smart host's name" };

export function Explain({ domain, close }: { domain: string; close: () => void }) {
  const path = segment(domain);
  const said = useResource<Decision>(`explain ${domain}`, (signal) => api.get(`/policy/${path}`, { explain: true, width: 90 }, signal));
  const kept = useResource<KeptPolicy | null>(`kept ${domain}`, (signal) => orNone(api.get<KeptPolicy>(`/policies/${path}`, undefined, signal)));
  const exception = useResource<Override | null>(`override ${domain}`, (signal) => orNone(api.get<Override>(`/override/${path}`, undefined, signal)));
  const [changing, setChanging] = useState(false);
  const again = (): void => {
    said.reload();
    kept.reload();
    exception.reload();
  };
  const refresh = useAction(async () => {
    const done = await api.post<Refreshed>(`/policy/${path}/refresh`);
    toast(done.looked ? done.words || (done.changed ? "It changed." : "It is as it was.") : "It was looked at less than 30 seconds ago.");
    again();
  });
  const data = said.data;
  const [tone, words, means] = data ? decisionWords[data.decision] : decisionWords.unknown;
  return (
    <section class="card explain" aria-labelledby="explain-title">
      <header>
        <h2 id="explain-title" class="row">
          <span class="break">{domain}</span>
          {data && (
            <Badge tone={tone} icon={data.decision === "testing" ? "clock" : undefined} title={means}>
              {words}
            </Badge>
          )}
        </h2>
        <div class="row">
          {can("operator") && (
            <>
              <Button size="small" icon="refresh" busy={refresh.busy} onClick={() => void refresh.run()}>
                Look again
              </Button>
              <Button size="small" icon="pencil" onClick={() => setChanging(true)}>
                {exception.data ? "Change the exception" : "Make an exception"}
              </Button>
            </>
          )}
        </div>
        <Button size="small" kind="quiet" icon="close" label="Close" onClick={close} />
      </header>
      <div class="card-body stack">
        {refresh.error && <Notice tone="bad">{refresh.error.message}</Notice>}
        {!can("operator") && <p class="dim small">Looking again and exceptions are for operators.</p>}
        {said.error ? (
          <Failed error={said.error} retry={again} what="This destination" />
        ) : !data ? (
          <Bones lines={6} />
        ) : (
          <>
            {exception.data && (
              <Notice tone={exception.data.holds ? "attention" : "unknown"} title={exception.data.holds ? `An exception holds: ${overrideWords[exception.data.as][0].toLowerCase()}` : "An exception is over"}>
                {exception.data.why} {exception.data.by && <span class="dim">By {exception.data.by}.</span>} {exception.data.until && <>Until <Moment at={exception.data.until} />.</>}
              </Notice>
            )}
            <p>
              {means} <span class="dim">({sources[data.source] ?? data.source})</span>
            </p>
            {data.explanation && <pre class="explanation">{data.explanation}</pre>}
            {data.errors.length > 0 && (
              <ul class="stack-s">
                {data.errors.map((each) => (
                  <li key={each.code + each.subject} class="row-top">
                    <span class="tone-attention">
                      <Icon name="attention" />
                    </span>
                    <span>
                      <strong class="break">{each.subject}</strong> {each.message}
                    </span>
                  </li>
                ))}
              </ul>
            )}
            <div class="explain-halves">
              <div class="stack">
                {data.mx.length > 0 && (
                  <div class="stack-s">
                    <h3>Its mail servers</h3>
                    <ul class="stack-s">
                      {data.mx.map((each) => (
                        <li key={each.host} class="row">
                          {data.decision === "enforce" || data.decision === "testing" ? (
                            <Badge tone={each.admitted_by ? "good" : "bad"}>{each.admitted_by ? "Admitted" : "Not in the policy"}</Badge>
                          ) : null}
                          <span class="mono break">{each.host}</span>
                          {each.admitted_by && each.admitted_by !== each.host && <span class="dim small">by {each.admitted_by}</span>}
                        </li>
                      ))}
                    </ul>
                  </div>
                )}
                {Object.keys(data.replies).length > 0 && (
                  <div class="stack-s">
                    <h3>What mail servers are told</h3>
                    {Object.entries(data.replies).map(([dialect, reply]) => (
                      <div key={dialect} class="stack-s">
                        <span class="dim small">{dialect}</span>
                        <Code text={reply} what={`the reply for ${dialect}`} wrap />
                      </div>
                    ))}
                  </div>
                )}
              </div>
              <Kept of={kept.data} />
            </div>
          </>
        )}
      </div>
      {changing && <OverrideDialog domain={domain} before={exception.data} close={() => setChanging(false)} done={again} />}
    </section>
  );
}

function Kept({ of }: { of: KeptPolicy | null }) {
  if (!of) return <p class="dim">Nothing is kept of it.</p>;
  return (
    <div class="stack-s">
      <h3>What is kept</h3>
      <dl class="facts small">
        <dt>Fetched</dt>
        <dd>
          <Ago at={of.fetched_at} />
        </dd>
        <dt>Holds until</dt>
        <dd>
          <Moment at={of.expires_at} />
        </dd>
        <dt>Id</dt>
        <dd class="mono">{of.id ?? "–"}</dd>
        <dt>Record</dt>
        <dd>
          {of.record.state}, seen <Ago at={of.record.seen_at} />
          {of.record.detail && <span class="block dim">{of.record.detail}</span>}
        </dd>
        <dt>Next look</dt>
        <dd>
          <Ago at={of.next_check_at} none="–" />
        </dd>
        <dt>Last used</dt>
        <dd>
          <Ago at={of.used_at} />
        </dd>
        {of.failure && (
          <>
            <dt>Trouble</dt>
            <dd>
              <code>{of.failure.fault}</code> {of.failure.in_a_row} times since <Ago at={of.failure.since} />
              <span class="block dim">{of.failure.detail}</span>
            </dd>
          </>
        )}
      </dl>
      {of.text && <Code text={of.text.trimEnd()} what="the policy as it was fetched" />}
    </div>
  );
}
