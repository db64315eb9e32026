// SPDX-License-Identifier: Apache-2.0
// One report of the store.
import { api } from "../../api/client";
import type { StoredReport } from "../../api/types";
import { useResource } from "../../state/resource";
import { day, plural } from "../../text/format";
import { Bones, Failed, Notice, Page } from "../../ui/page";
import { Ago } from "../../ui/time";
import type { ScreenProps } from "..";
import { Raw } from "./raw";
import { ReportView } from "./report_view";
import { wayWords } from "../reports/report_list";

const states: Record<string, string> = {
  quarantined: "This report is kept apart and not counted",
  superseded: "A newer version of this report is counted instead",
  test: "This is a test of the mailbox",
};

export default function ReportScreen({ params }: ScreenProps) {
  const number = /^\d{1,15}$/.test(params.number ?? "") ? Number(params.number) : 0;
  const found = useResource<StoredReport>(`report ${number}`, (signal) => api.get(`/reports/${number}`, undefined, signal));
  const report = found.data;
  const title = report ? `${report.organization_name || report.submitter || "Report"}${report.start ? `, ${day(report.start)}` : ""}` : `Report ${number}`;
  return (
    <Page
      title={title}
      back={{ href: "/reports", words: "Reports" }}
      sub={
        report && (
          <>
            About {report.report_domain ? <a href={`/reports?domain=${encodeURIComponent(report.report_domain)}`}>{report.report_domain}</a> : "no domain that it names"}, received <Ago at={report.received_at} /> {wayWords(report.way)}
            {report.times_seen > 1 && `; it came ${report.times_seen} times and is counted once`}. Number {report.number}.
          </>
        )
      }
    >
      {found.error ? (
        <Failed error={found.error} retry={found.reload} what="This report" />
      ) : !report ? (
        <Bones block />
      ) : (
        <div class="stack">
          {report.state !== "counted" && (
            <Notice tone={report.state === "quarantined" ? "attention" : "unknown"} title={states[report.state] ?? report.state}>
              {report.why}
            </Notice>
          )}
          {report.versions.length > 0 && (
            <Notice title={`The same report came in ${plural(report.versions.length + 1, "version")}`}>
              {report.versions.map((each, i) => (
                <>
                  {i > 0 && ", "}
                  <a key={each} href={`/reports/${each}`}>
                    number {each}
                  </a>
                </>
              ))}
            </Notice>
          )}
          {report.part && <Notice title="This is your part of a report">It tells of domains of others too. Only yours are shown and counted here, without the texts about all of it.</Notice>}
          <ReportView report={report} />
          {report.raw ? <Raw number={report.number} /> : !report.part && <p class="dim">Its text is no longer kept; what was counted is.</p>}
        </div>
      )}
    </Page>
  );
}
