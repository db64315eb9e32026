// SPDX-License-Identifier: Apache-2.0
// The way in: a one-time link, which needs no click, a name with its password, or a token.
import "./login.css";
import { useEffect, useState } from "preact/hooks";
import { asApiError, type ApiError } from "../../api/client";
import type { Credentials } from "../../api/types";
import { go, here, ownPath, queryOf } from "../../router";
import { away, session, signIn } from "../../state/session";
import { Button } from "../../ui/button";
import { TextField } from "../../ui/field";
import { Code } from "../../ui/copy";
import { Icon, Mark } from "../../ui/icon";
import { Notice, Page } from "../../ui/page";

type Way = "password" | "token";

/** The token of a link stands behind the "#": it never reaches a log on its way. */
function linkIn(hash: string): string {
  const text = hash.replace(/^#/, "");
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // no link of ours: the server says so
  }
}

export function words(error: ApiError, way: Way | "link"): string {
  if (error.away) return "Mailtight does not answer. Try again in a moment.";
  if (error.status === 429) return "Too many tries. Wait a minute, then try again.";
  if (error.status !== 401 && error.status !== 403) return error.message;
  if (way === "link") return "This link was used already, or it is too old.";
  return way === "token" ? "This token is not known, or it has ended." : "The name or the password is not right.";
}

export default function Login() {
  const [link] = useState(() => linkIn(here.value.hash));
  const [state, setState] = useState<"link" | "form">(link ? "link" : "form");
  const [wrong, setWrong] = useState<string | null>(null);
  const ended = queryOf(here.value).has("ended");
  const onward = ownPath(queryOf(here.value).get("then"));

  const enter = async (way: Way | "link", what: Credentials): Promise<void> => {
    setWrong(null);
    try {
      await signIn(what);
      go(onward, { replace: true });
    } catch (caught) {
      setWrong(words(asApiError(caught), way));
      setState("form");
    }
  };
  useEffect(() => {
    if (!link) return;
    // Out of the address at once: it is used up, and does not belong into the history.
    history.replaceState(null, "", here.value.path + here.value.search);
    void enter("link", { link });
  }, []);
  useEffect(() => {
    if (session.value && !link) go(onward, { replace: true });
  }, [session.value]);

  return (
    <div class="login">
      <div class="login-box">
        <span class="login-brand">
          <Mark size={36} />
        </span>
        <Page title="Sign in" head={state === "link" ? "Signing you in…" : "Sign in to Mailtight"}>
          {state === "link" ? (
            <p class="row login-wait" role="status">
              <span class="spinner" aria-hidden="true" /> Using the one-time link
            </p>
          ) : (
            <>
              {away.value && !wrong && (
                <Notice tone="attention" icon="globe">
                  Mailtight does not answer right now.
                </Notice>
              )}
              {ended && !wrong && <Notice icon="clock">Your session has ended. Sign in to go on where you were.</Notice>}
              <Form wrong={wrong} enter={enter} />
            </>
          )}
        </Page>
      </div>
    </div>
  );
}

function Form({ wrong, enter }: { wrong: string | null; enter: (way: Way, what: Credentials) => Promise<void> }) {
  const [way, setWay] = useState<Way>("password");
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  const [missing, setMissing] = useState<"" | "user" | "password" | "token">("");
  // Never switched off: what a password manager has filled in is not told to the page before somebody types.
  const submit = async () => {
    const lacks = way === "token" ? (token.trim() ? "" : "token") : !user.trim() ? "user" : !password ? "password" : "";
    setMissing(lacks);
    if (lacks) {
      document.querySelector<HTMLElement>(`input[name="${lacks}"]`)?.focus();
      return;
    }
    setBusy(true);
    await enter(way, way === "token" ? { token: token.trim() } : { user: user.trim(), password });
    setBusy(false);
  };
  return (
    <div class="stack">
      <div class="segments login-ways" role="group" aria-label="How to sign in">
        <button type="button" aria-pressed={way === "password"} onClick={() => setWay("password")}>
          Password
        </button>
        <button type="button" aria-pressed={way === "token"} onClick={() => setWay("token")}>
          Token
        </button>
      </div>
      <form
        class="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {wrong && (
          <div role="alert">
            <Notice tone="bad">{wrong}</Notice>
          </div>
        )}
        {way === "password" ? (
          <>
            <TextField label="Name" value={user} set={setUser} autocomplete="username" name="user" wrong={missing === "user" ? "Your name is missing." : null} spellcheck={false} large />
            <TextField label="Password" type="password" value={password} set={setPassword} autocomplete="current-password" name="password" wrong={missing === "password" ? "The password is missing." : null} large />
          </>
        ) : (
          <TextField label="Token" type="password" value={token} set={setToken} autocomplete="off" name="token" wrong={missing === "token" ? "The token is missing." : null} mono large hint="Made with mailtight access token add, or in System." />
        )}
        <Button kind="primary" size="large" type="submit" icon={way === "token" ? "key" : "right"} busy={busy}>
          Sign in
        </Button>
      </form>
      <details class="more login-help">
        <summary>No name yet?</summary>
        <div class="stack-s">
          <p class="small soft">On the machine where Mailtight runs, this prints a link that signs you in once:</p>
          <Code text="mailtight login-link" what="the command" />
          <p class="small soft">
            <Icon name="info" size={14} /> Users and further tokens are made with <code>mailtight access --help</code>.
          </p>
        </div>
      </details>
    </div>
  );
}
