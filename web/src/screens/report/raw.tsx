// SPDX-License-Identifier: Apache-2.0
// The report as it came: laid out for reading, to copy and to keep.
import { useEffect, useState } from "preact/hooks";
import { address, api } from "../../api/client";
import { asApiError, isAbort } from "../../api/problem";
import { Code } from "../../ui/copy";
import { Icon } from "../../ui/icon";
import { Bones, Notice } from "../../ui/page";

/** Laid out where it is JSON; as it is where not, or where it is too large to be laid out. Only the space between what
 *  the sender wrote is ours: a number beyond 2^53 or a member that is there twice stays as it came. */
export function pretty(text: string): string {
  if (text.length > 2_000_000) return text;
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  const out: string[] = [];
  let depth = 0;
  let before = "";
  const line = (): void => void out.push("\n", "  ".repeat(depth));
  for (const [piece] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs)) {
    const opened = before === "{" || before === "[";
    if (piece === "}" || piece === "]") {
      --depth;
      if (!opened) line();
    } else if (opened || before === ",") line();
    out.push(piece);
    if (piece === "{" || piece === "[") ++depth;
    if (piece === ":") out.push(" ");
    before = piece;
  }
  return out.join("");
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
