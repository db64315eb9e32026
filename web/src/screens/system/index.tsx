// SPDX-License-Identifier: Apache-2.0
// This installation: its parts, what waits, certificates, the doctor's findings, and who may come in.
import { here, queryOf } from "../../router";
import { can, session } from "../../state/session";
import { Empty, Page } from "../../ui/page";
import { Tabs } from "../../ui/tabs";
import "../../styles/data.css";
import { Access } from "./access";
import { Audit } from "./audit";
import { Certificates } from "./certificates";
import { Doctor } from "./doctor";
import { Running } from "./running";
import "./system.css";

const tabs = [
  ["running", "Running"],
  ["doctor", "Doctor"],
  ["certificates", "Certificates"],
  ["access", "Access"],
  ["audit", "Audit"],
] as const;
type Tab = (typeof tabs)[number][0];

export default function SystemScreen() {
  const typed = queryOf(here.value).get("tab");
  const shown = tabs.filter(([tab]) => can("administrator") || (tab !== "access" && tab !== "audit"));
  const tab: Tab = shown.find(([each]) => each === typed)?.[0] ?? "running";
  const tenant = session.value?.tenant !== null && session.value?.tenant !== undefined;
  if (!can("operator") || tenant)
    return (
      <Page title="System">
        <Empty icon="lock" title={tenant ? "This is of the whole installation" : "The system is for operators"}>
          <p>{tenant ? "You see the domains of one owner. Ask whoever runs this machine." : "You are signed in as a viewer: you see domains, reports and sending. An administrator can give you another role."}</p>
        </Empty>
      </Page>
    );
  return (
    <Page title="System" sub={`Mailtight ${session.value?.version ?? ""} on this machine.`}>
      <div class="stack">
        <Tabs label="Parts of the system" at={tab} tabs={shown.map(([name, title]) => ({ name, title, href: name === "running" ? "/system" : `/system?tab=${name}` }))} />
        {tab === "running" && <Running />}
        {tab === "doctor" && <Doctor />}
        {tab === "certificates" && <Certificates />}
        {tab === "access" && <Access />}
        {tab === "audit" && <Audit />}
      </div>
    </Page>
  );
}
