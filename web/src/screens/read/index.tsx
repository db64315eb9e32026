// SPDX-License-Identifier: Apache-2.0
// A report from a file, explained at once. Nothing is stored unless asked.
import { useRef, useState } from "preact/hooks";
import { api } from "../../api/client";
import { asApiError } from "../../api/problem";
import type { Imported, ReadAnswer } from "../../api/types";
import { can, session } from "../../state/session";
import { day, plural } from "../../text/format";
import { Button } from "../../ui/button";
import { Icon, type IconName } from "../../ui/icon";
import { announce } from "../../ui/live";
import { Bones, Notice, Page } from "../../ui/page";
import { ReportView } from "../report/report_view";
import { example } from "./example";

interface Taken {
  number: number;
  name: string;
  file: Blob;
  answer?: ReadAnswer;
  wrong?: string;
  kept?: Imported;
  keeping?: boolean;
  keepWrong?: string;
}

const most = 20 * 1024 * 1024; // the server takes no more
const mostFiles = 20;
let counter = 0;

export function keptWords(of: Imported): string {
  const parts: string[] = [];
  if (of.added > 0) parts.push(`${plural(of.added, "report")} kept and counted`);
  if (of.corrections > 0) parts.push(`${plural(of.corrections, "report")} corrected`);
  if (of.duplicates > 0) parts.push(`${plural(of.duplicates, "report")} known already`);
  if (of.quarantined > 0) parts.push(`${plural(of.quarantined, "report")} kept apart, not counted`);
  const tests = of.reports.filter((each) => each.fate === "test").length;
  if (tests > 0) parts.push(`${plural(tests, "test report")}`);
  return parts.length > 0 ? `${parts.join(", ")}.` : "There was nothing to keep.";
}

const about: [IconName, string, string][] = [
  ["mail", "Where it comes from", "Google, Microsoft and others send one a day to the address of your TLSRPT record, as a mail with a small compressed file."],
  ["file", "What it says", "How many connections to your mail servers were encrypted as your policy asks, and which were not."],
  ["shield", "What you get here", "It in plain words: what failed, the likely cause, what to change, and a look now whether it is still so."],
];

/** For who never saw one. */
function About() {
  return (
    <ul class="read-about">
      {about.map(([icon, title, words]) => (
        <li key={title}>
          <Icon name={icon} size={18} />
          <h3>{title}</h3>
          <p class="soft">{words}</p>
        </li>
      ))}
    </ul>
  );
}

export default function ReadScreen() {
  const [files, setFiles] = useState<Taken[]>([]);
  const [over, setOver] = useState(false);
  const chooser = useRef<HTMLInputElement>(null);
  const depth = useRef(0);
  const change = (number: number, by: Partial<Taken>): void => setFiles((all) => all.map((each) => (each.number === number ? { ...each, ...by } : each)));

  const take = async (list: { name: string; file: Blob }[]): Promise<void> => {
    const taken = list.slice(0, mostFiles).map((each): Taken => ({ number: ++counter, ...each }));
    setFiles((all) => [...taken, ...all]);
    for (const each of taken) {
      if (each.file.size > most) {
        change(each.number, { wrong: "This is larger than 20 MB. A report has some thousand bytes." });
        continue;
      }
      try {
        const answer = await api.post<ReadAnswer>("/reports/read", each.file, { name: each.name });
        change(each.number, { answer });
        announce(answer.reports[0]?.sentence ?? answer.errors[0]?.error.message ?? "Nothing was found in it.");
      } catch (caught) {
        change(each.number, { wrong: asApiError(caught).message });
      }
    }
  };
  const keep = async (one: Taken): Promise<void> => {
    change(one.number, { keeping: true, keepWrong: "" });
    try {
      const kept = await api.post<Imported>("/reports", one.file, { name: one.name });
      change(one.number, { keeping: false, kept });
      announce(keptWords(kept));
    } catch (caught) {
      change(one.number, { keeping: false, keepWrong: asApiError(caught).message });
    }
  };
  const some = files.length > 0;
  const keeps = can("operator") && session.value?.tenant === null; // a file is not of one owner alone
  return (
    <Page title="Read a report" sub="A TLS report that you have as a file, explained. It goes to your Mailtight alone, and nothing is stored unless you say so.">
      <div class="stack-l">
        <div
          class={`drop ${over ? "over" : ""} ${some ? "slim" : ""}`}
          onDragEnter={(event) => {
            event.preventDefault();
            ++depth.current;
            setOver(true);
          }}
          onDragLeave={() => {
            if (--depth.current <= 0) setOver(false);
          }}
          onDragOver={(event) => event.preventDefault()}
          onDrop={(event) => {
            event.preventDefault();
            depth.current = 0;
            setOver(false);
            void take([...(event.dataTransfer?.files ?? [])].map((file) => ({ name: file.name, file })));
          }}
        >
          {!some && (
            <>
              <span class="empty-sign">
                <Icon name="upload" size={22} />
              </span>
              <h2>Drop a report here</h2>
              <p class="soft">The attachment (.json.gz, .json, .zip) or the whole mail (.eml, .mbox). Several at once are fine.</p>
            </>
          )}
          <div class="row">
            <Button kind="primary" icon="upload" onClick={() => chooser.current?.click()}>
              {some ? "Choose another file" : "Choose a file"}
            </Button>
            {!some && (
              <Button kind="quiet" onClick={() => void take([{ name: "example.json", file: new Blob([example]) }])}>
                Show me an example
              </Button>
            )}
            {some && <span class="dim small">or drop it here</span>}
          </div>
          <input
            ref={chooser}
            class="sr"
            type="file"
            multiple
            aria-label="Report files"
            tabIndex={-1}
            onChange={(event) => {
              const list = [...(event.currentTarget.files ?? [])].map((file) => ({ name: file.name, file }));
              event.currentTarget.value = "";
              void take(list);
            }}
          />
        </div>
        {!some && <About />}
        {files.map((each) => (
          <section class="read-file" key={each.number} aria-label={each.name}>
            <div class="read-head">
              <h2 class="row">
                <Icon name="file" />
                <span class="break">{each.name}</span>
              </h2>
              <div class="row">
                {each.answer && each.answer.reports.length > 0 && !each.kept && keeps && (
                  <Button icon="download" busy={each.keeping ?? false} onClick={() => void keep(each)}>
                    Keep it
                  </Button>
                )}
                {each.answer && each.answer.reports.length > 0 && !keeps && <span class="dim small">Keeping reports is for operators of the whole installation.</span>}
                <Button kind="quiet" icon="close" label={`Put ${each.name} away`} onClick={() => setFiles((all) => all.filter((one) => one.number !== each.number))} />
              </div>
            </div>
            {each.kept && (
              <Notice tone={each.kept.added + each.kept.corrections > 0 ? "good" : "attention"} title={keptWords(each.kept)}>
                {each.kept.reports.slice(0, 10).map((one) => (
                  <p key={one.number}>
                    {one.number > 0 ? <a href={`/reports/${one.number}`}>Report {one.number}</a> : "A report"}: {one.fate}
                    {one.why && <>, {one.why}</>}
                  </p>
                ))}
              </Notice>
            )}
            {each.keepWrong && (
              <Notice tone="bad" title="It could not be kept">
                {each.keepWrong}
              </Notice>
            )}
            {each.wrong && (
              <Notice tone="bad" title="It could not be read">
                {each.wrong}
              </Notice>
            )}
            {!each.answer && !each.wrong && <Bones block />}
            {each.answer?.errors.map((one, i) => (
              <Notice key={i} tone="bad" title={one.source === each.name ? "This is no report that can be read" : one.source}>
                {one.error.message}
              </Notice>
            ))}
            {each.answer && each.answer.reports.length === 0 && each.answer.errors.length === 0 && <Notice tone="attention">There is no TLS report in it.</Notice>}
            {each.answer?.reports.map((one, i) => (
              <div key={i} class="stack">
                {(each.answer?.reports.length ?? 0) > 1 && (
                  <h3>
                    {one.organization_name || one.submitter || "Report"} {one.start && `, ${day(one.start)}`}
                  </h3>
                )}
                <ReportView report={one} />
              </div>
            ))}
            {each.answer && each.answer.left_out > 0 && <Notice>{plural(each.answer.left_out, "more report")} in this file are not shown. Keeping it takes them all.</Notice>}
          </section>
        ))}
      </div>
    </Page>
  );
}
