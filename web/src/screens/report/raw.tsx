// SPDX-License-Identifier: Apache-2.0
// The report as it came: laid out for reading, to copy and to keep.
import { useEffect, useState } from "preact/hooks";
import { address, api } from "../../api/client";
import { asApiError, isAbort } from "../../api/problem";
import { Code } from "../../ui/copy";
import { Icon } from "../../ui/icon";
import { Bones, Notice } from "../../ui/page";

/** Laid out where it is JSON; as it is where not, or where it is too large to be laid out. */
export function pretty(text: string): string {
  if (text.length > 2_000_000) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

export function Raw({ number }: { number: number }) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState<string | null>(null);
  const [wrong, setWrong] = useState("");
  useEffect(() => {
    if (!open || text !== null) return;
    const stop = new AbortController();
    api
      .text(`/reports/${number}/raw`, undefined, stop.signal)
      .then((got) => setText(pretty(got)))
      .catch((caught: unknown) => {
        if (!isAbort(caught)) setWrong(asApiError(caught).message);
      });
    return () => stop.abort();
  }, [open, number]);
  return (
    <section class="card" aria-labelledby="raw-title">
      <header>
        <h2 id="raw-title">The report as it came</h2>
        <div class="row">
          <button type="button" class="button small" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? "Hide" : "Show the JSON"}
          </button>
          <a class="button small" href={address(`/reports/${number}/raw`)} download={`report-${number}.json`}>
            <Icon name="download" />
            Download
          </a>
        </div>
      </header>
      {open && <div class="card-body">{wrong ? <Notice tone="bad">{wrong}</Notice> : text === null ? <Bones lines={6} /> : <Code text={text} what="the report's JSON" />}</div>}
    </section>
  );
}
