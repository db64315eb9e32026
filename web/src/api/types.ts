// SPDX-License-Identifier: Apache-2.0
// What the API at /api/v1 says, by the names that the pages use. schema.ts is made of the daemon's own OpenAPI
// document, which the tests hold against every real answer: a field that is not there cannot be read here.
import type * as api from "./schema";

export type Time = string; // "2026-01-02T03:04:05Z"
export type Day = string; // "2026-01-02"
export type Json = Record<string, unknown>;

export type {
  AllowedNameList, Check, Credentials, Decision, Diagnosis, DnsForm, DomainView, FailureList, FileError, Finding, History, LabelList, LoginLink, Mute, MuteList,
  NextStep, OutgoingReport, Override, Overview, OverviewRow, Parts, PartState, Plan, Problem, ReadAnswer, Readiness,
  Report, ReportList, ReportPolicy, ReportRow, ReportTest, Role, Sending, Session, StepDone, StoredReport, User, Verdict, Wish,
} from "./schema";

export type AccessToken = api.Token;
export type AllowedName = api.AllowedNameList["names"][number];
export type AuditEntry = api.AuditList["entries"][number];
export type Certificate = NonNullable<api.Certificate>;
export type CertificateList = api.CertificateList;
export type CertificateRow = CertificateList["certificates"][number];
export type Change = api.History["changes"][number];
export type Detail = api.ReportPolicy["details"][number];
export type DoctorAnswer = api.Doctor;
export type FailureGroup = api.FailureList["groups"][number];
export type Imported = api.ReportsImported;
export type KeptPolicy = api.Policy;
export type ProofRecord = NonNullable<api.Problem["record"]>;
export type Light = api.OverviewRow["light"];
export type RecordChange = api.PlanStep["records"][number];
export type Severity = api.Finding["severity"];
export type Step = api.PlanStep;
export type Summary = api.ReportSummary;

// GET /look/{domain} as text/event-stream: `stage` events, then one `check` with a Check, or `failed` with a Problem.
export interface Stage {
  stage: string; // "dns", "policy", "mail-server", "tlsrpt", "judge"
  state: "begun" | "done";
  subject: string; // "mx1.example.com"
  words: string;
  elapsed_ms: number;
}
