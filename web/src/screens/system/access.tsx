// SPDX-License-Identifier: Apache-2.0
// Who may come in: people with passwords, tokens for programs, and the link that signs in once.
import { useState } from "preact/hooks";
import { api, segment } from "../../api/client";
import type { AccessToken, User } from "../../api/types";
import { useAction, useResource } from "../../state/resource";
import { session } from "../../state/session";
import { capital } from "../../text/format";
import { Button } from "../../ui/button";
import { Code } from "../../ui/copy";
import { Dialog } from "../../ui/dialog";
import { toast } from "../../ui/live";
import { Bones, Failed, Notice } from "../../ui/page";
import { Badge } from "../../ui/status";
import { Ago, DayOf } from "../../ui/time";
import { LinkDialog, PersonDialog, TokenDialog } from "./access_dialogs";
import { AllowedNamesCard } from "./allowed_names";

export function Access() {
  return (
    <div class="stack">
      <People />
      <Tokens />
      <AllowedNamesCard />
      <SignInLink />
    </div>
  );
}

function People() {
  const list = useResource<{ users: User[] }>("users", (signal) => api.get("/users", undefined, signal));
  const [changing, setChanging] = useState<User | null | undefined>(undefined);
  const [removing, setRemoving] = useState("");
  const [linking, setLinking] = useState("");
  return (
    <section class="card" aria-labelledby="people-title">
      <header>
        <h2 id="people-title">People</h2>
        <Button size="small" icon="plus" onClick={() => setChanging(null)}>
          Let somebody in
        </Button>
      </header>
      {list.error && !list.data ? (
        <Failed error={list.error} retry={list.reload} what="The list" />
      ) : !list.data ? (
        <div class="card-body">
          <Bones lines={3} />
        </div>
      ) : list.data.users.length === 0 ? (
        <p class="card-body soft">Nobody has a password yet. Tokens and sign-in links work without.</p>
      ) : (
        <ul class="rows flush">
          {list.data.users.map((each) => (
            <li key={each.name}>
              <div class="grow">
                <p class="row">
                  <strong>{each.name}</strong>
                  <Role role={each.role} tenant={each.tenant} />
                  {session.value?.name.replace(/^user /, "") === each.name && <span class="dim small">you</span>}
                </p>
                <p class="dim small">
                  Since <DayOf at={each.made_at} />, {each.last_login ? <>last signed in <Ago at={each.last_login} /></> : "never signed in"}
                </p>
              </div>
              <div class="row">
                <Button size="small" icon="key" onClick={() => setLinking(each.name)} label={`A link that signs ${each.name} in`} />
                <Button size="small" icon="pencil" onClick={() => setChanging(each)} label={`Change ${each.name}`} />
                <Button size="small" kind="danger" icon="trash" onClick={() => setRemoving(each.name)} label={`Remove ${each.name}`} />
              </div>
            </li>
          ))}
        </ul>
      )}
      {changing !== undefined && <PersonDialog before={changing} close={() => setChanging(undefined)} done={list.reload} />}
      {linking && <LinkDialog name={linking} close={() => setLinking("")} />}
      {removing && (
        <RemoveDialog title={`Remove ${removing}?`} words="They are signed out everywhere, and cannot sign in again." path={`/users/${segment(removing)}`} close={() => setRemoving("")} done={list.reload} />
      )}
    </section>
  );
}

function Tokens() {
  const list = useResource<{ tokens: AccessToken[] }>("tokens", (signal) => api.get("/tokens", undefined, signal));
  const [making, setMaking] = useState(false);
  const [removing, setRemoving] = useState("");
  return (
    <section class="card" aria-labelledby="tokens-title">
      <header>
        <div>
          <h2 id="tokens-title">Tokens</h2>
          <p class="dim small">For programs, and to sign in with. Their secrets are not kept: one that is lost is made anew.</p>
        </div>
        <Button size="small" icon="plus" onClick={() => setMaking(true)}>
          Make a token
        </Button>
      </header>
      {list.error && !list.data ? (
        <Failed error={list.error} retry={list.reload} what="The list" />
      ) : !list.data ? (
        <div class="card-body">
          <Bones lines={3} />
        </div>
      ) : (
        <ul class="rows flush">
          {list.data.tokens.map((each) => (
            <li key={each.name}>
              <div class="grow">
                <p class="row">
                  <strong>{each.name}</strong>
                  <Role role={each.role} tenant={each.tenant} />
                </p>
                <p class="dim small">
                  Since <DayOf at={each.made_at} />, {each.used_at ? <>last used <Ago at={each.used_at} /></> : "never used"},{" "}
                  {each.expires_at ? (
                    <>
                      until <DayOf at={each.expires_at} />
                    </>
                  ) : (
                    "without an end"
                  )}
                </p>
              </div>
              <Button size="small" kind="danger" icon="trash" onClick={() => setRemoving(each.name)} label={`Take the token ${each.name} away`} />
            </li>
          ))}
        </ul>
      )}
      {making && <TokenDialog close={() => setMaking(false)} done={list.reload} />}
      {removing && (
        <RemoveDialog
          title={`Take the token ${removing} away?`}
          words="Whoever uses it is refused from then on, and every session that came from it ends."
          path={`/tokens/${segment(removing)}`}
          close={() => setRemoving("")}
          done={list.reload}
        />
      )}
    </section>
  );
}

function SignInLink() {
  return (
    <section class="card" aria-labelledby="link-title">
      <header>
        <div>
          <h2 id="link-title">A link that signs in once</h2>
          <p class="dim small">For whoever has a shell on this machine: it prints a link for an administrator, and the ssh line that opens it from elsewhere.</p>
        </div>
      </header>
      <div class="card-body">
        <Code text="mailtight login-link" what="the command that prints a sign-in link" />
      </div>
    </section>
  );
}

function Role({ role, tenant }: { role: string; tenant: string | null }) {
  return (
    <>
      <Badge tone={role === "administrator" ? "accent" : "unknown"} plain>
        {capital(role)}
      </Badge>
      {tenant !== null && (
        <span class="label-chip" title="Sees the domains of this owner alone">
          {tenant}
        </span>
      )}
    </>
  );
}

function RemoveDialog({ title, words, path, close, done }: { title: string; words: string; path: string; close: () => void; done: () => void }) {
  const remove = useAction(async () => {
    await api.delete(path);
    toast("Done.");
    done();
    close();
  });
  return (
    <Dialog
      title={title}
      close={close}
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button kind="danger" icon="trash" busy={remove.busy} onClick={() => void remove.run()}>
            Remove
          </Button>
        </>
      }
    >
      <p>{words}</p>
      {remove.error && <Notice tone="bad">{remove.error.message}</Notice>}
    </Dialog>
  );
}
