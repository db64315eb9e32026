// SPDX-License-Identifier: Apache-2.0
// What the pages are built with is what the API says: every fixture fits the schema of its route.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { faults, schemas } from "./schema";

const all = schemas();
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8").replaceAll("{1}", "partner.example"));

describe("fixtures", () => {
  it.each([
    ["reports", "report-list"],
    ["reports~_", "stored-report"],
    ["reports~392", "stored-report"],
    ["report-summary", "report-summary"],
    ["empty/report-summary", "report-summary"],
    ["failures", "failure-list"],
    ["mutes", "mute-list"],
    ["POST.reports~read", "read-answer"],
    ["POST.reports", "reports-imported"],
    ["POST.report-tests", "report-test"],
    ["report-tests~_", "report-test"],
    ["sending", "sending"],
    ["policies", "policy-list"],
    ["policies~_", "policy"],
    ["policy~_", "decision"],
    ["policy~partner.example", "decision"],
    ["POST.policy~_~refresh", "refreshed"],
    ["overrides", "override-list"],
    ["override~partner.example", "override"],
    ["outbox", "outgoing-list"],
    ["outbox~_", "outgoing-report"],
    ["suppressed", "suppressed-list"],
    ["status", "status"],
    ["doctor", "doctor"],
    ["certificates", "certificate-list"],
    ["tokens", "token-list"],
    ["POST.tokens", "token"],
    ["users", "user-list"],
    ["labels", "label-list"],
    ["allowed-names", "allowed-name-list"],
    ["audit", "audit-list"],
    ["session", "session"],
    ["domains~_", "domain-view"],
    ["domains~tailspin.example", "domain-view"],
    ["domains~newcomer.example", "domain-view"],
    ["domains~_~plan", "plan"],
    ["domains~_~history", "history"],
    ["domains~_~readiness", "readiness"],
    ["domains~_~records", "dns-form"],
    ["POST.domains", "domain-view"],
    ["PATCH.domains~_", "domain-view"],
    ["POST.domains~_~steps", "step-done"],
    ["look~_", "check"],
    ["look~adatum.example", "check"],
    ["look~tailspin.example", "check"],
  ])("%s is a %s", (name, schema) => {
    const by = all.get(schema);
    expect(by, `the API has no schema ${schema}`).toBeDefined();
    if (by) expect(faults(read(name), by, all)).toEqual([]);
  });
  it("overview holds rows", () => {
    const by = { type: "array", items: { $ref: "#/components/schemas/overview-row" } };
    expect(faults(read("overview"), by, all)).toEqual([]);
  });
  it("would see what is missing, of another type, or unknown", () => {
    const by = all.get("suppressed");
    expect(by && faults({ who: 3, why: "", since: null }, by, all)).toEqual(["$: until is missing", "$.who: is integer, not string"]);
    expect(faults({ odd: 1 }, { type: "object", properties: {}, additionalProperties: false }, all)).toEqual(["$: odd is not known"]);
    expect(faults("x", { $ref: "#/components/schemas/nothing" }, all)).toEqual(["$: there is no schema nothing"]);
  });
});
