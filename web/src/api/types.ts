// SPDX-License-Identifier: Apache-2.0
// What the API at /api/v1 says, as the pages see it. Times are "2026-01-02T03:04:05Z", days "2026-01-02"; names are
// those of the documents that `mailtight COMMAND --json` prints.

export type Time = string;
export type Day = string;
export type Json = Record<string, unknown>;

// ---- who asks: GET, POST, DELETE /session ----
export type Role = "viewer" | "operator" | "administrator";
export interface Session {
  name: string;
  role: Role;
  tenant: string | null; // sees the domains of this owner alone; null: all
  csrf: string; // goes back in the field X-CSRF-Token with everything that changes something
  expires_at: Time | null;
  version: string;
  now: Time; // the clock of days and waits
  parts: { domains: boolean; publish: boolean; reports: boolean; sending: boolean; collect: boolean; deliver: boolean };
}
// POST /session takes one of these; 401 where it is not right, 429 after too many
export type Credentials = { user: string; password: string } | { token: string } | { link: string };

// ---- a problem (RFC 9457), with any status from 400 ----
export interface Problem {
  title: string;
  status: number;
  detail: string;
}

// ---- GET /overview?contains&label&state&sort&order&offset&limit; GET /overview.csv ----
export type PartState = "valid" | "invalid" | "missing" | "not-tested";
export interface Parts {
  sts_record: PartState;
  policy_file: PartState;
  tlsrpt_record: PartState;
  mail_servers: PartState;
}
export type Verdict = "protected" | "testing" | "unverified" | "retiring" | "broken" | "absent" | "unreachable" | "unseen";
export type Light = "good" | "attention" | "bad" | "unknown";
export interface OverviewRow {
  domain: string;
  owner: string;
  labels: string[];
  light: Light;
  verdict: Verdict; // unseen: not looked at yet
  mode: "enforce" | "testing" | "none" | null; // of the policy that is served
  aim: "testing" | "enforce" | "off";
  parts: Parts;
  errors: number;
  warnings: number;
  seen_at: Time | null;
  sessions: { success: number; failure: number }; // of the last 30 days
  series: [number, number][]; // success and failure of each of the last 30 days, oldest first
  changed: { at: Time; what: string } | null; // the last change that was seen
  next: NextStep | null; // what is to do next; null: nothing
}
export interface NextStep {
  kind: string;
  title: string;
  state: "now" | "waiting" | "later";
  by: "us" | "person";
  not_before: Time | null;
}
// state=: all, attention (without or with invalid configuration), protected, testing, broken, absent, unseen
// sort=: domain, verdict, failures, sessions, seen, next; order=: up, down
export interface Overview {
  rows: OverviewRow[];
  total: number; // that fit the question
  counts: { all: number; attention: number; protected: number; testing: number; broken: number; absent: number; unseen: number };
}

// ---- domains: GET /domains/{domain}, POST /domains, PATCH and DELETE /domains/{domain} ----
export interface Wish {
  domain: string;
  owner: string;
  aim: "testing" | "enforce" | "off";
  off: "none" | "expiry";
  max_age: number | null;
  mx: string[]; // empty: as DNS has them
  mx_adding: string[];
  mx_removing: string[];
  rua: string[];
  host: "here" | "proxied" | "elsewhere" | "delegated";
  policy_host: string;
  sts_target: string;
  dns: "hand" | "update" | "hook";
  dns_server: string;
  leave: "nothing" | "records" | "all";
  keep_mx: boolean;
  paused: boolean;
  labels: string[];
  like: string; // the domain that it was added after
  marks: Record<string, { at: Time; by: string; text: string }>;
  added_at: Time;
  changed_at: Time;
  revision: number;
}
// POST takes {domain}, `like` and any field that can be wished for; PATCH those fields and `revision` (409 where somebody was
// faster). Both take `why`, which stays in the log of changes, and answer with a DomainView. DELETE takes ?force=1&why=…, and
// answers 409 while senders may hold a policy.
export interface DomainView {
  wish: Wish;
  row: OverviewRow;
  look: Check | null; // what the last full look saw, as `check --json`
  looked_at: Time | null;
}

// ---- a look: GET /look/{domain} (the last event's document), as text/event-stream stage by stage ----
// event: stage   data: {"stage":"dns"|"policy"|"mail-server"|"tlsrpt"|"judge","state":"begun"|"done","subject":"mx1.example.com","words":"…","elapsed_ms":12}
// event: check   data: Check          event: failed   data: Problem
export interface Stage {
  stage: string;
  state: "begun" | "done";
  subject: string;
  words: string;
  elapsed_ms: number;
}
export type Severity = "error" | "warning" | "info" | "ok";
export interface Finding {
  code: string;
  severity: Severity;
  subject: string;
  message: string;
  evidence: string;
  consequence: string;
  fix: string;
  reference: string;
}
export interface Certificate {
  names: string[];
  issuer: string;
  not_after: Time | "";
  trusted: boolean;
}
export interface Check {
  domain: string;
  checked_at: Time;
  verdict: Exclude<Verdict, "unseen">;
  mode: string | null;
  ready_to_enforce: boolean | null;
  findings: Finding[];
  sts_record: { texts: string[]; id: string | null; ttl: number | null } | null;
  policy: { url: string; mode: string | null; max_age: number | null; mx: string[]; text: string; addresses: Json[] } | null;
  mx: { host: string; preference: number; in_policy: boolean | null; addresses: { ip: string; starttls: boolean | null; tls: string; certificate: Certificate | null }[]; dane: Json | null }[];
  tlsrpt_record: { texts: string[]; rua: string[]; ttl: number | null } | null;
  suggestion: {
    policy: string;
    policy_already_right: boolean;
    needs: string[];
    records: { step: number; name: string; type: string; value: string; ttl: number; already_right: boolean; why: string }[];
  };
  parts: Parts;
}

// ---- the plan: GET /domains/{domain}/plan (?look=1: from a look now), as `plan --json` ----
// ?to=off&by=expiry&add_mx=a,b&remove_mx=c&keep_mx=1 tries these on the plan alone; nothing is kept
export interface RecordChange {
  name: string;
  type: string;
  add: string[];
  remove: string[];
  ttl: number;
}
export interface Step {
  number: number;
  kind: string;
  state: "done" | "now" | "waiting" | "later";
  by: "us" | "person";
  title: string;
  why: string;
  how: string;
  not_before: Time | null;
  until: string;
  earliest: Time | null;
  records: RecordChange[];
  policy: string;
  id: string;
  host: string;
  blocked: string;
  on_word: boolean;
  last_try: { at: Time; why: string } | null;
}
export interface Plan {
  domain: string;
  from: string;
  to: string;
  finished: boolean;
  next: number | null;
  come_back: Time | null;
  warnings: string[];
  steps: Step[];
}
// POST /domains/{domain}/steps: {"do":true} carries out the next step, {"said":"report-way"} says that it is done,
// {"force":"the reason"} goes to enforce without evidence
export interface StepDone {
  did: string;
  failed: string;
  plan: Plan;
}

// ---- GET /domains/{domain}/records?format=table|bind|nsupdate|dnscontrol|octodns|terraform|cloudflare|route53&provider=&all=1 ----
export interface DnsForm {
  format: string;
  text: string;
  // in_form: the name as the provider's form wants it
  records: { step: number; name: string; type: string; value: string; ttl: number; done: boolean; in_form: string; why: string }[];
  zone: string;
  needs: string[]; // words in `text` that only a person can replace: YOUR-POLICY-HOST
  provider: { name: string; guessed: boolean; labels: { name: string; type: string; value: string; ttl: string } } | null;
}

// ---- GET /domains/{domain}/history?before=&limit= (of changes; a further page has them alone) ----
export interface History {
  served: { mode: string; max_age: number; ids: string[]; first_served: Time; last_served: Time | null; binds_until: Time; ours: boolean; body: string }[];
  changes: Change[];
  fetches: { network: string; id: string; agent: string; first: Time; last: Time; count: number }[]; // who fetched which policy
  states: { first: Time; last: Time; state: Verdict; id: string; mx: string[]; problems: string[] }[]; // newest first; problems: codes of findings
}
export interface Change {
  number: number;
  at: Time;
  domain: string;
  who: string;
  what: string;
  from: string;
  to: string;
  why: string;
}
// GET /domains/{domain}/readiness
export interface Readiness {
  domain: string;
  ready: boolean | null; // null: not enough is known
  sentence: string;
  reasons: { code: string; met: boolean; known: boolean; text: string }[];
}

// ---- reports: filters everywhere are domain, reporter, result, mx, from, to (days) ----
// GET /reports?…&what=counted|quarantined|tests|all&failures=1&offset&limit, as `report list --json`
export interface ReportRow {
  number: number;
  start: Time | null; // null: the report does not say
  end: Time | null;
  reporter: string;
  organization_name: string;
  report_domain: string; // "": the report names none
  success: number;
  failure: number;
  trust: "verified" | "authorised" | "unverified" | "rejected";
  state: "counted" | "quarantined" | "superseded" | "test";
  why: string; // where it does not count
  report_id: string;
  way: string; // "smtp", "https", "imap", "file", …
  received_at: Time | null;
  warnings: number;
  times_seen: number;
}
export interface ReportList {
  reports: ReportRow[];
  next: number | null; // offset of the next page
}
export interface Diagnosis {
  rule: string;
  title: string;
  cause: string;
  fix: string;
  check: string;
  who: string;
  policy_age: string;
  confidence: "certain" | "likely" | "possible";
  finding: string | null;
  ours: boolean;
  still_so: boolean | null;
  now: string;
}
export interface Detail {
  result_type: string;
  count: number;
  sending_mta_ip: string;
  receiving_mx: string;
  receiving_mx_helo: string;
  receiving_ip: string;
  additional_information: string;
  reason_code: string;
  diagnosis: Diagnosis;
}
export interface ReportPolicy {
  type: string;
  domain: string;
  inferred: string[];
  strings: string[];
  mx_patterns: string[];
  success: number;
  failure: number;
  failed: { held_back: number; delivered: number; unknown: number };
  details: Detail[];
  remarks: Diagnosis[];
}
// As `report read --json`: GET /reports/{number}, and each of POST /reports/read
export interface Report {
  source: string;
  format: string;
  organization_name: string;
  contact_info: string;
  report_id: string;
  start: Time | null;
  end: Time | null;
  submitter: string;
  report_domain: string | null;
  dkim: { result: string; domain: string; selector: string; reason: string } | null;
  trust: string;
  trust_reason: string;
  truncated: boolean; // more policies or details than were kept
  left_out: number; // details and policies that this answer leaves out; the counts hold all of them
  test: boolean;
  warnings: { code: string; where: string; message: string; detail?: string }[];
  headline: { success: number; failure: number };
  sentence: string;
  policies: ReportPolicy[];
}
export type StoredReport = Report & {
  number: number;
  state: string;
  why: string;
  received_at: Time;
  way: string;
  times_seen: number;
  raw: boolean; // the JSON text is still kept
  versions: number[];
};
// GET /reports/{number}/raw: the JSON text as it came, as application/json
// POST /reports/read?name=: the bytes of a file (JSON, gzip, zip, mail, mbox); nothing is stored
export interface FileError {
  source: string;
  error: { code: string; message: string };
}
export interface ReadAnswer {
  reports: Report[];
  errors: FileError[];
  left_out: number; // reports of the file that are not shown
}
// POST /reports?name=: the same, into the store (operator)
export interface Imported {
  added: number; // counted from now on
  duplicates: number;
  corrections: number;
  quarantined: number; // kept apart, those outvoted by a better one included
  reports: { fate: "added" | "duplicate" | "correction" | "outvoted" | "quarantined" | "test"; number: number; why: string }[];
  errors: FileError[];
}
// GET /report-summary (30 days where no period is said). Days and reporters are sums over all domains in question;
// `domain` is "" then.
export interface Summary {
  headline: { success: number; failure: number };
  days: { domain: string; day: Day; success: number; failure: number; share: number | null; sts_success: number; sts_failure: number; tlsa_success: number; tlsa_failure: number; none_success: number; none_failure: number; reporters: number; reports: number }[];
  by_reporter: { reporter: string; day: Day; success: number; failure: number }[]; // lines of the graph: the 8 with the most sessions, and "" for all others
  reporters: { domain: string; reporter: string; organization_name: string; success: number; failure: number; share: number | null; reports: number; first: Day; last: Day; verified: boolean; usual_interval: number | null; last_received: Time | null }[];
  domains: { domain: string; success: number; failure: number }[]; // the 100 with the most failures
  results: { result_type: string; count: number; reporters: number; first: Day; last: Day }[];
  reporter_mx: { reporter: string; mx: string; failure: number; first: Day; last: Day }[];
  not_counted: Json[];
  trends: Json[]; // of one domain
  from: Day;
  to: Day;
  marks: { at: Time; domain: string; kind: "policy" | "mx" | "record" | "mode"; words: string }[]; // the lane under the graph
  newest: Day | null; // day with a counted report, whatever the period
  silence: { domain: string; causes: { code: string; certain: boolean; text: string; fix: string }[] }[]; // why nothing came
}
// GET /failures (30 days where no period is said), as `report failures --json`
export interface FailureGroup {
  domain: string;
  result_type: string;
  reason_code: string;
  mx: string;
  policy_type: string;
  count: number;
  failed: { held_back: number; delivered: number; unknown: number };
  reporters: string[];
  reporters_fine: number;
  first: Day;
  last: Day;
  sending_ips: string[];
  receiving_ips: string[];
  last_report: number; // 0: it is no longer kept
  diagnosis: Diagnosis;
  muted: Mute | null;
  looked_at: Time | null; // the look that `still_so` follows from; "check now" is GET /look/{domain}, then ask again
}
export interface FailureList {
  groups: FailureGroup[];
  left_out: number; // kinds beyond the 100 with the most sessions
}
// GET /mutes, POST /mutes (operator), DELETE /mutes/{name} (operator). POST takes {domain, result_type?, mx?} as a group
// has them (left out: all of them), or {key} of an alarm of GET /status; and {until?: Day, why}. No alarm tells of it meanwhile.
export interface Mute {
  name: string; // of the mute, for DELETE
  key: string; // as `report mutes --json`
  domain: string; // "": of the installation
  result_type: string; // "": every
  mx: string; // "": every
  until: Time | null; // null: until somebody ends it
  why: string;
  by: string;
}
export interface MuteList {
  mutes: Mute[];
}
// POST /report-tests {domain} (operator): sends the synthetic report; GET /report-tests/{token}: how far it is
export interface ReportTest {
  token: string;
  domain: string;
  finished: boolean; // everything was tried
  trouble: string; // nothing could be sent: no record, …
  sent: { to: string; ok: boolean; server: string; stage: string; words: string; arrived: number | null }[]; // stage: where it was lost
  arrived: number | null; // the report's number, as soon as one is in the store
}

// ---- sending: the whole installation's, not for tenants ----
// GET /sending
export interface Sending {
  destinations: number;
  decisions: Record<"enforce" | "testing" | "none" | "without", number>; // of the destinations remembered; without: no policy
  answers: number; // to mail servers, since the start
  said: Record<string, number>; // the answers by decision: enforce, testing, none, dane, no-policy, unknown
  days: { day: Day; success: number; failure: number }[]; // results collected, 30 days, oldest first
  failures: { domain: string; result_type: string; mx: string; reason: string; count: number; day: Day }[]; // of two days, the most first
  outbox: { waiting: number; sent: number; refused: number; given_up: number };
  parts: { policies: boolean; results: boolean; reports: boolean }; // what is switched on
}
// GET /policies?after&limit (&contains), /policies/{domain}, /decisions/{domain}; GET, PUT, DELETE /overrides/{domain}; /outbox…: see openapi.json
export interface KeptPolicy {
  domain: string;
  mode: string | null;
  id: string | null;
  mx: string[];
  max_age: number | null;
  fetched_at: Time | null;
  expires_at: Time | null;
  expired: boolean;
  text?: string;
  record: { state: string; id: string; ttl: number; seen_at: Time | null; detail: string };
  failure: { fault: string; detail: string; at: Time | null; in_a_row: number; since: Time | null } | null;
  next_check_at: Time | null;
  refresh_at: Time | null;
  used_at: Time | null;
}
export interface Decision {
  domain: string;
  decision: "enforce" | "testing" | "none" | "dane" | "no-policy" | "unknown";
  source: string;
  id: string | null;
  fetched_at: Time | null;
  expires_at: Time | null;
  next_check_at: Time | null;
  mx: { host: string; admitted_by: string | null }[];
  replies: Record<string, string>;
  errors: { code: string; subject: string; message: string }[];
  explanation?: string;
}
export interface Override {
  domain: string;
  as: "exempt" | "pin" | "testing" | "require";
  mx: string[];
  why: string;
  by: string;
  since: Time | null;
  until: Time | null;
  holds: boolean;
}
export interface OutgoingReport {
  number: number;
  day: Day;
  domain: string;
  audience: string;
  part: number;
  report_id: string;
  file: string;
  success: number;
  failure: number;
  made_at: Time | null;
  deliveries: { number: number; to: string; state: "waiting" | "sent" | "refused" | "given-up" | "suppressed" | "skipped" | "copied"; tries: number; first_at: Time | null; next_at: Time | null; ended_at: Time | null; family: string; words: string }[];
}

// ---- the system: operators and administrators ----
// GET /status as `status --json`; GET /doctor(?again=1) as `doctor --json`
export interface DoctorAnswer {
  looked_at: Time | null; // null: the first look is under way
  looking: boolean; // ask again in some seconds
  checks: { check: string; state: "ok" | "problem" | "unknown"; seen: string; fix: string; lines: string }[];
}
// GET /certificates as `certificate list --json`; those that could not be had are rows with a trouble
export interface CertificateRow {
  name: string;
  domain: string;
  not_before: Time | null;
  not_after: Time | null;
  renew_at: Time | null;
  in_use: boolean;
  issuer: string;
  file: string | null; // in certificates.folder
  trouble: string | null;
}
export interface CertificateList {
  certificates: CertificateRow[];
}
// GET /audit?before&limit (administrator)
export interface AuditEntry {
  number: number;
  at: Time;
  who: string;
  from: string; // address
  what: string; // "POST /domains", "login", "login refused"
  subject: string;
  status: number;
}
// GET, POST /tokens, DELETE /tokens/{name}; GET /users, PUT and DELETE /users/{name} (administrator)
export interface AccessToken {
  name: string;
  role: Role;
  tenant: string | null;
  made_at: Time;
  used_at: Time | null;
  expires_at: Time | null;
  token?: string; // once, in the answer to POST
}
export interface User {
  name: string;
  role: Role;
  tenant: string | null;
  made_at: Time;
  last_login: Time | null;
}
