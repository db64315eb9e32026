// SPDX-License-Identifier: Apache-2.0
// Letting somebody in, and making a token, whose secret is shown this once.
import { useState } from "preact/hooks";
import { api, segment } from "../../api/client";
import type { AccessToken, LoginLink, Role, User } from "../../api/types";
import { addDays, isDay } from "../../charts/days";
import { useAction } from "../../state/resource";
import { now } from "../../state/session";
import { time } from "../../text/format";
import { Button } from "../../ui/button";
import { Code } from "../../ui/copy";
import { Dialog } from "../../ui/dialog";
import { Choices, TextField } from "../../ui/field";
import { toast } from "../../ui/live";
import { Notice } from "../../ui/page";

const roles: { value: Role; words: string; more: string }[] = [
  { value: "viewer", words: "Viewer", more: "Sees everything about domains, reports and sending; changes nothing." },
  { value: "operator", words: "Operator", more: "Adds domains, carries out plans, makes exceptions, mutes, keeps reports." },
  { value: "administrator", words: "Administrator", more: "Also says who comes in, and reads the audit log." },
];

const ownerHint = "Sees the domains of this owner alone. Leave it empty for all.";

export function PersonDialog({ before, close, done }: { before: User | null; close: () => void; done: () => void }) {
  const [name, setName] = useState(before?.name ?? "");
  const [role, setRole] = useState<Role>(before?.role ?? "viewer");
  const [tenant, setTenant] = useState(before?.tenant ?? "");
  const [password, setPassword] = useState("");
  const [tried, setTried] = useState(false);
  const save = useAction(async () => {
    await api.put(`/users/${segment(name.trim())}`, { role, ...(tenant.trim() ? { tenant: tenant.trim() } : {}), ...(password ? { password } : {}) });
    toast(before ? `${name} was changed, and is signed out everywhere.` : `${name} may sign in.`);
    done();
    close();
  });
  return (
    <Dialog
      title={before ? `Change ${before.name}` : "Let somebody in"}
      close={close}
      submit={() => {
        setTried(true);
        if (name.trim() && (before || password)) void save.run();
      }}
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button kind="primary" type="submit" busy={save.busy}>
            {before ? "Change" : "Let in"}
          </Button>
        </>
      }
    >
      {!before && <TextField label="Name" value={name} set={setName} wrong={tried && !name.trim() ? "What is their name?" : null} autocomplete="off" spellcheck={false} />}
      <Choices legend="Role" value={role} set={setRole} options={roles} />
      <TextField label="Owner" value={tenant} set={setTenant} hint={ownerHint} autocomplete="off" />
      <TextField
        label={before ? "New password" : "Password"}
        type="password"
        value={password}
        set={setPassword}
        wrong={tried && !before && !password ? "A password is needed." : null}
        hint={before ? "Leave it empty to keep the old one." : "A long one: several words are good."}
        autocomplete="new-password"
      />
      {save.error && (
        <Notice tone="bad" title="It was not taken">
          {save.error.message}
        </Notice>
      )}
    </Dialog>
  );
}

/** For somebody who forgot their password, or comes for the first time. */
export function LinkDialog({ name, close }: { name: string; close: () => void }) {
  const [made, setMade] = useState<LoginLink | null>(null);
  const make = useAction(async () => setMade(await api.post<LoginLink>(`/users/${segment(name)}/link`)));
  if (made)
    return (
      <Dialog title={`A link for ${name}`} close={close} footer={<Button kind="primary" onClick={close}>I have it</Button>}>
        <Notice tone="attention">
          Whoever opens it is signed in as {name}, once, until {time(made.expires_at)}. It is shown now, and never again.
        </Notice>
        <Code text={`${window.location.origin}${made.path}`} what={`the link that signs ${name} in`} wrap />
      </Dialog>
    );
  return (
    <Dialog
      title={`Make a link for ${name}?`}
      close={close}
      submit={() => void make.run()}
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button kind="primary" icon="key" type="submit" busy={make.busy}>
            Make it
          </Button>
        </>
      }
    >
      <p>It signs {name} in without a password, once, within an hour. The audit log says who made it. Send it where only {name} reads it.</p>
      {make.error && (
        <Notice tone="bad" title="It was not made">
          {make.error.message}
        </Notice>
      )}
    </Dialog>
  );
}

export function TokenDialog({ close, done }: { close: () => void; done: () => void }) {
  const today = new Date(now()).toISOString().slice(0, 10);
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [tenant, setTenant] = useState("");
  const [until, setUntil] = useState("");
  const [tried, setTried] = useState(false);
  const [made, setMade] = useState<AccessToken | null>(null);
  const wrong = until !== "" && (!isDay(until) || until < today) ? "This takes a day to come." : null;
  const make = useAction(async () => {
    const token = await api.post<AccessToken>("/tokens", {
      name: name.trim(),
      role,
      ...(tenant.trim() ? { tenant: tenant.trim() } : {}),
      ...(until ? { expires_at: `${addDays(until, 1)}T00:00:00Z` } : {}), // the day is included
    });
    setMade(token);
    done();
  });
  if (made)
    return (
      <Dialog title={`The token ${made.name}`} close={close} footer={<Button kind="primary" onClick={close}>I have it</Button>}>
        <Notice tone="attention">This is its secret. It is shown now, and never again.</Notice>
        <Code text={made.token ?? ""} what="the token's secret" wrap />
        <p class="soft">Programs send it as “Authorization: Bearer …”.</p>
      </Dialog>
    );
  return (
    <Dialog
      title="Make a token"
      close={close}
      submit={() => {
        setTried(true);
        if (name.trim() && !wrong) void make.run();
      }}
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button kind="primary" icon="key" type="submit" busy={make.busy}>
            Make it
          </Button>
        </>
      }
    >
      <TextField label="Name" value={name} set={setName} wrong={tried && !name.trim() ? "What is it for?" : null} hint="What it is for: grafana, backup" autocomplete="off" spellcheck={false} />
      <Choices legend="Role" value={role} set={setRole} options={roles} />
      <TextField label="Owner" value={tenant} set={setTenant} hint={ownerHint} autocomplete="off" />
      <TextField label="Until and with" type="date" min={today} value={until} set={setUntil} wrong={wrong} hint="Leave it empty for one without an end." />
      {make.error && (
        <Notice tone="bad" title="It was not made">
          {make.error.message}
        </Notice>
      )}
    </Dialog>
  );
}
