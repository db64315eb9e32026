// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Check, Stage } from "../src/api/types";
import { seenOf } from "../src/look/parts";
import { issuerName } from "../src/look/servers";
import { heard, idle, type Look } from "../src/look/stream";
import { observed } from "./observed";

const empty = (state: "missing" | "not-tested"): Check =>
  observed({
    verdict: state === "missing" ? "absent" : "unreachable",
    parts: { sts_record: state, policy_file: state, tlsrpt_record: state, mail_servers: state },
  });

describe("what was seen of each part", () => {
  it("says what is missing", () => {
    expect(seenOf(empty("missing")).map((one) => one.seen)).toEqual(["_mta-sts: no record", "mta-sts: no policy", "_smtp._tls: no record", "no MX record"]);
  });
  it("says of nothing that it is missing where nobody answered", () => {
    expect(seenOf(empty("not-tested")).map((one) => one.seen)).toEqual(["no answer", "no answer", "no answer", "no answer"]);
  });
});

describe("a look, event by event", () => {
  const stage = (state: Stage["state"], subject = "mx1"): Stage => ({ stage: "mail-server", state, subject, words: state, elapsed_ms: 1 });
  const after = (...events: [string, unknown][]): Look => events.reduce((was: Look, [event, data]) => heard(was, { event, data: JSON.stringify(data) }), { ...idle, running: true });
  it("puts a stage that is done in the place of its beginning", () => {
    const now = after(["stage", stage("begun")], ["stage", stage("begun", "mx2")], ["stage", stage("done")]);
    expect(now).toMatchObject({ running: true, stages: [stage("done"), stage("begun", "mx2")] });
  });
  it("ends with the document", () => {
    expect(after(["stage", stage("begun")], ["check", empty("missing")])).toMatchObject({ running: false, error: null, check: { verdict: "absent" } });
  });
  it("ends with the problem that the server tells", () => {
    const now = after(["failed", { title: "Busy", status: 503, detail: "Try again." }]);
    expect(now.running).toBe(false);
    expect(now.error?.message).toBe("Try again.");
  });
  it("passes over what is no document of ours", () => {
    const was = after(["stage", stage("begun")]);
    expect(heard(was, { event: "check", data: "{" })).toBe(was);
    expect(after(["check", "text"], ["check", null], ["later", {}])).toEqual({ ...idle, running: true });
  });
});

it.each([
  ["CN=Mailtight Lab Intermediate,O=Mailtight Lab", "Mailtight Lab Intermediate"],
  ["CN=R11,O=Let's Encrypt,C=US", "Let's Encrypt (R11)"],
  ["C=US, O=Example\\, Inc., CN=CA 1", "Example, Inc. (CA 1)"],
  ["O=Example", "Example"],
  ["something else", "something else"],
  ["", ""],
])("who signed a certificate: %s is read as %s", (issuer, said) => expect(issuerName(issuer)).toBe(said));
