// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Check } from "../src/api/types";
import { seenOf } from "../src/look/parts";
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
