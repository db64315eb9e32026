// SPDX-License-Identifier: Apache-2.0
// Text that is there to be copied.
import { useRef, useState } from "preact/hooks";
import { Icon } from "./icon";
import { announce } from "./live";

/** Over http on another host than loopback the clipboard is not to be had; selecting still works. */
async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("readonly", "");
    area.className = "sr";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** `what`: for screen readers, "the value of _mta-sts.example.com". */
export function CopyButton({ text, what, words }: { text: string; what: string; words?: string }) {
  const [state, setState] = useState<"" | "done" | "failed">("");
  const timer = useRef(0);
  const copy = async () => {
    const done = await toClipboard(text);
    setState(done ? "done" : "failed");
    announce(done ? `Copied ${what}.` : "The browser does not allow copying. Select the text instead.");
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setState(""), 1800);
  };
  return (
    <button type="button" class={`button small quiet copy ${state}${words ? "" : " icon"}`} aria-label={`Copy ${what}`} title={`Copy ${what}`} onClick={copy}>
      <Icon name={state === "done" ? "check" : state === "failed" ? "bad" : "copy"} />
      {words && <span>{state === "done" ? "Copied" : words}</span>}
    </button>
  );
}

/** A block of text in its own letters, with a button that copies it. */
export function Code({ text, what, wrap }: { text: string; what: string; wrap?: boolean }) {
  return (
    <div class={wrap ? "code wrap" : "code"}>
      <pre tabIndex={0} role="region" aria-label={what}>
        {text}
      </pre>
      <CopyButton text={text} what={what} />
    </div>
  );
}
