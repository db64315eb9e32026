// SPDX-License-Identifier: Apache-2.0
// The daemon's status (`status --json`) as rows for a page. It may be of another version: what is missing reads as
// nothing. Pure.
import type { Json } from "../../api/types";
import type { Tone } from "../../ui/status";

export const text = (from: Json | undefined, name: string): string => (typeof from?.[name] === "string" ? (from[name] as string) : "");
export const number = (from: Json | undefined, name: string): number => (typeof from?.[name] === "number" ? (from[name] as number) : 0);
export const flag = (from: Json | undefined, name: string): boolean => from?.[name] === true;
export const object = (from: Json | undefined, name: string): Json | undefined => {
  const value = from?.[name];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
};
export const rows = (from: Json | undefined, name: string): Json[] => {
  const value = from?.[name];
  return Array.isArray(value) ? value.filter((each): each is Json => typeof each === "object" && each !== null && !Array.isArray(each)) : [];
};
const texts = (from: Json | undefined, name: string): string[] => {
  const value = from?.[name];
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === "string") : [];
};

export interface Part {
  name: string;
  where: string;
  tone: Tone;
  state: string;
  accepted: number;
  refused: number;
  open: number;
  last: string; // when it last did what it is for
  error: string;
  errorAt: string;
}

export function partsOf(status: Json): Part[] {
  return rows(status, "parts").map((each) => {
    const failing = flag(each, "failing");
    const running = flag(each, "running");
    return {
      name: text(each, "name"),
      where: text(each, "where"),
      tone: failing ? "bad" : running ? "good" : "unknown",
      state: failing ? "Failing" : running ? "Running" : "Stopped",
      accepted: number(each, "accepted"),
      refused: number(each, "refused"),
      open: number(each, "open"),
      last: text(each, "last_success"),
      error: text(each, "last_error"),
      errorAt: text(each, "last_error_at"),
    };
  });
}

export interface Listener {
  part: string;
  kind: string;
  where: string;
  open: number;
}

export function listenersOf(status: Json): Listener[] {
  const of = (part: string, name: string): Listener[] =>
    rows(object(status, name), "listeners").map((each) => ({ part, kind: text(each, "kind"), where: text(each, "where"), open: number(each, "open") }));
  const sockets = rows(object(status, "collect"), "sockets").map((each) => ({ part: "Results", kind: "datagrams", where: text(each, "where"), open: 0 }));
  return [...of("Policies for mail servers", "sending"), ...sockets, ...of("Policy host", "publish")];
}

export interface Queue {
  name: string;
  waits: string;
  oldest: string;
  tone: Tone;
  words: string;
}

const plain = (n: number): string => n.toLocaleString("en");
export function bytes(n: number): string {
  if (n < 10_000) return `${plain(n)} B`;
  if (n < 10_000_000) return `${plain(Math.round(n / 1_000))} kB`;
  if (n < 10_000_000_000) return `${plain(Math.round(n / 1_000_000))} MB`;
  return `${plain(Math.round(n / 1_000_000_000))} GB`;
}

export function queuesOf(status: Json): Queue[] {
  const all: Queue[] = [];
  const store = object(status, "store");
  if (store) {
    const well = flag(store, "writable");
    all.push({ name: "Reports to be written", waits: bytes(number(store, "queued_bytes")), oldest: "", tone: well ? "good" : "bad", words: well ? "Written at once" : "The database cannot be written" });
  }
  const collect = object(status, "collect");
  if (collect) {
    const well = flag(collect, "writable");
    const full = rows(collect, "sockets").reduce((sum, each) => sum + number(each, "queue_was_full"), 0);
    const lost = number(collect, "lost");
    all.push({
      name: "Results of deliveries",
      waits: plain(number(collect, "waiting")),
      oldest: "",
      tone: !well || lost > 0 ? "bad" : full > 0 ? "attention" : "good",
      words: !well ? "The database cannot be written" : lost > 0 ? `${plain(lost)} lost` : full > 0 ? `The kernel’s queue was full ${full === 1 ? "once" : `${plain(full)} times`}: see the doctor` : "Nothing lost",
    });
  }
  const deliver = object(status, "deliver");
  if (deliver) {
    const stuck = text(deliver, "mail_waits");
    all.push({
      name: "Reports of ours",
      waits: `${plain(number(deliver, "waiting"))} to send, ${plain(number(deliver, "due"))} to make`,
      oldest: text(deliver, "oldest_waiting") || text(deliver, "oldest_due"),
      tone: stuck ? "bad" : "good",
      words: stuck || (text(deliver, "dry_run") ? `A dry run: written into ${text(deliver, "dry_run")}` : "Tried again until a day is over"),
    });
  }
  const waiting = object(object(status, "carry"), "waiting");
  if (waiting) {
    const sum = Object.values(waiting).reduce<number>((total, each) => total + (typeof each === "number" ? each : 0), 0);
    all.push({ name: "Work for domains", waits: plain(sum), oldest: "", tone: "good", words: "Looks, steps and certificates, each in its time" });
  }
  return all;
}

export interface Trouble {
  where: string;
  words: string;
  at: string; // "": not known
}

/** The last error of every part, the newest first. */
export function troublesOf(status: Json): Trouble[] {
  const all: Trouble[] = partsOf(status).map((each) => ({ where: each.name, words: each.error, at: each.errorAt }));
  const add = (where: string, from: Json | undefined, words = "last_error", at = "last_error_at"): void => {
    all.push({ where, words: text(from, words), at: text(from, at) });
  };
  const sending = object(status, "sending");
  add("database", object(status, "store"));
  add("policies of destinations", sending, "last_fault", "last_fault_at");
  add("policies, database", object(sending, "store"));
  add("results", object(status, "collect"));
  add("results, refused", object(status, "collect"), "last_bad", "last_bad_at");
  add("our reports", object(status, "deliver"));
  add("policy host", object(status, "publish"));
  add("plans", object(status, "carry"));
  const seen = new Set<string>();
  return all
    .filter((each) => {
      if (each.words === "" || seen.has(each.words)) return false;
      seen.add(each.words);
      return true;
    })
    .sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
}

export interface FileCertificate {
  file: string;
  names: string[];
  notAfter: string;
}
export function filesOf(status: Json): FileCertificate[] {
  return rows(status, "certificates").map((each) => ({ file: text(each, "file"), names: texts(each, "names"), notAfter: text(each, "not_after") }));
}

/** How a certificate stands that ends then: below two weeks somebody must look, past its end it is bad. */
export function certificateTone(notAfter: string, now: number): { tone: Tone; words: string } {
  const end = Date.parse(notAfter);
  if (Number.isNaN(end)) return { tone: "unknown", words: "Not known" };
  const days = (end - now) / 86_400_000;
  if (days < 0) return { tone: "bad", words: "Expired" };
  if (days < 14) return { tone: "attention", words: days < 1 ? "Ends today" : `Ends in ${Math.floor(days)} ${Math.floor(days) === 1 ? "day" : "days"}` };
  return { tone: "good", words: "Valid" };
}

export interface AlarmRow {
  key: string;
  title: string;
  since: string;
  domain: string; // "" where it is about the machine
  waits: boolean; // nothing fails: a step waits for a person
  before: string | null; // of the title, before the domain; null where the title does not name it
  after: string;
}

/** An alarm's key says what it is about, then of which domain: "plan/example.com/report-way". */
export function alarmOf(one: Json): AlarmRow {
  const key = text(one, "key");
  const title = text(one, "title");
  const [kind, of = ""] = key.split("/");
  const domain = of.includes(".") ? of : "";
  // A name alone: not the end of a longer one, such as that of a mail server.
  const at = domain ? title.search(new RegExp(`(?<![\\w.-])${domain.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w-]|\\.\\w)`)) : -1;
  return { key, title, since: text(one, "since"), domain, waits: kind === "plan", before: at < 0 ? null : title.slice(0, at), after: at < 0 ? title : title.slice(at + domain.length) };
}
