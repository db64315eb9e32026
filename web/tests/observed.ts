// SPDX-License-Identifier: Apache-2.0
// Looks for tests: one that saw nothing, to be changed where a test wants something seen.
import type { Check } from "../src/api/types";

const silent = { status: "absent", dnssec: "unknown", cname: [], texts: [], ttl: 0 };

/** A look at example.com that found no record, no policy and no mail server. */
export const observed = (change: Partial<Check> = {}): Check => ({
  domain: "example.com",
  checked_at: "2026-05-20T09:00:00Z",
  verdict: "absent",
  mode: null,
  ready_to_enforce: null,
  findings: [],
  sts_record: { ...silent, id: null },
  policy: null,
  mx: [],
  tlsrpt_record: { ...silent, rua: [] },
  suggestion: { policy: "", policy_already_right: false, provider: null, needs: [], records: [], remarks: [] },
  parts: { sts_record: "missing", policy_file: "missing", tlsrpt_record: "missing", mail_servers: "missing" },
  also_recommended: "",
  notes: [],
  ...change,
});

/** A mail server that takes TLS at one address; `change` says what else was seen. */
export const seenMx = (host: string, change: Partial<Check["mx"][number]> = {}): Check["mx"][number] => ({
  host,
  preference: 10,
  in_policy: true,
  admitted_by: host,
  addresses: [{ ip: "192.0.2.1", outcome: "tls", starttls: true, tls: "TLSv1.3", certificate: null }],
  dane: null,
  criteria: [],
  ...change,
});
