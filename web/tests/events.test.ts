// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { EventReader } from "../src/api/events";
import { heard, idle } from "../src/look/stream";
import type { Stage } from "../src/api/types";

const all = (text: string, cut: number): unknown[] => {
  const reader = new EventReader();
  const found = [];
  for (let at = 0; at < text.length; at += cut) found.push(...reader.push(text.slice(at, at + cut)));
  return found;
};

describe("EventReader", () => {
  const one = "event: stage\ndata: {}\n\n";
  it.each([1, 2, 3, 7, 1000])("reads events however the bytes are cut: %d at a time", (cut) => {
    expect(all(one + "data: a\ndata: b\n\n", cut)).toEqual([
      { event: "stage", data: "{}" },
      { event: "message", data: "a\nb" },
    ]);
  });
  it.each([1, 2, 5, 1000])("takes CRLF as well: %d at a time", (cut) => expect(all("event: x\r\ndata: 1\r\n\r\nevent: y\r\ndata: 2\r\n\r\n", cut)).toEqual([
    { event: "x", data: "1" },
    { event: "y", data: "2" },
  ]));
  it.each([
    [": keep-alive\n\n", "a comment"],
    ["event: x\n\n", "an event without data"],
    ["data: cut", "an event that never ended"],
    ["id: 7\nretry: 10\n\n", "fields that are not ours"],
  ])("%j is no event: %s", (text) => expect(all(text, 1000)).toEqual([]));
  it("takes one space away after the colon, not more", () => expect(all("data:  x\n\n", 1000)).toEqual([{ event: "message", data: " x" }]));
});

describe("heard: a look grows by its events", () => {
  const stage = (state: Stage["state"], subject = "a"): { event: string; data: string } => ({ event: "stage", data: JSON.stringify({ stage: "dns", state, subject, words: "", elapsed_ms: 3 }) });
  it("the end of a stage takes the place of its beginning", () => {
    const look = heard(heard(heard({ ...idle, running: true }, stage("begun")), stage("begun", "b")), stage("done"));
    expect(look.stages.map((one) => [one.subject, one.state])).toEqual([
      ["a", "done"],
      ["b", "begun"],
    ]);
    expect(look.running).toBe(true);
  });
  it("the document ends it", () => expect(heard({ ...idle, running: true }, { event: "check", data: '{"domain":"a"}' })).toMatchObject({ running: false, check: { domain: "a" } }));
  it("a failure ends it", () => {
    const look = heard({ ...idle, running: true }, { event: "failed", data: '{"title":"Busy","status":429,"detail":"Wait."}' });
    expect(look.running).toBe(false);
    expect(look.error).toMatchObject({ status: 429, message: "Wait." });
  });
  it.each(["{", "null", "7"])("%s is passed over", (data) => expect(heard(idle, { event: "stage", data })).toBe(idle));
});
