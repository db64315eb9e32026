// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Check } from "../src/api/types";
import { seenOf } from "../src/look/parts";
import { issuerName } from "../src/look/servers";
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

it.each([
  ["CN=Mailtight Lab Intermediate,O=Mailtight Lab", "Mailtight Lab Intermediate"],
  ["CN=R11,O=Let's Encrypt,C=US", "Let's Encrypt (R11)"],
  ["C=US, O=Example\\, Inc., CN=CA 1", "Example, Inc. (CA 1)"],
  ["O=Example", "Example"],
  ["something else", "something else"],
  ["", ""],
])("who signed a certificate: %s is read as %s", (issuer, said) => expect(issuerName(issuer)).toBe(said));
