// SPDX-License-Identifier: Apache-2.0
// Certificates of the policy hosts and of these pages, and those of files.
import { api } from "../../api/client";
import type { CertificateList, CertificateRow, Json } from "../../api/types";
import { useResource } from "../../state/resource";
import { now } from "../../state/session";
import { Bones, Empty, Failed } from "../../ui/page";
import { Badge } from "../../ui/status";
import { Ago, DayOf } from "../../ui/time";
import { certificateTone, filesOf } from "./status";

export function Certificates() {
  const list = useResource<CertificateList>("certificates", (signal) => api.get("/certificates", undefined, signal));
  const status = useResource<Json>("status", (signal) => api.get("/status", undefined, signal));
  const files = status.data ? filesOf(status.data) : [];
  return (
    <div class="stack">
      <section class="card" aria-labelledby="hosts-title">
        <header>
          <div>
            <h2 id="hosts-title">Policy hosts and pages</h2>
            <p class="dim small">From a certificate authority and renewed automatically, or from the certificate folder.</p>
          </div>
        </header>
        {list.error && !list.data ? (
          <Failed error={list.error} retry={list.reload} what="The list" />
        ) : !list.data ? (
          <div class="card-body">
            <Bones lines={4} />
          </div>
        ) : list.data.certificates.length === 0 ? (
          <Empty icon="lock" title="No certificates are looked after" level={3}>
            <p>Where Mailtight serves the policy of a domain itself, it also gets the certificate for it.</p>
          </Empty>
        ) : (
          <div class="flush table-scroll">
            <table class="table cards">
              <caption class="sr">Certificates of policy hosts and of these pages</caption>
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">State</th>
                  <th scope="col">Ends</th>
                  <th scope="col">Renewed</th>
                  <th scope="col">From</th>
                </tr>
              </thead>
              <tbody>
                {list.data.certificates.map((each) => (
                  <Row key={each.name} of={each} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
      {files.length > 0 && (
        <section class="card" aria-labelledby="files-title">
          <header>
            <div>
              <h2 id="files-title">Files of the configuration</h2>
              <p class="dim small">Renewed by whoever put them there; read again when they change.</p>
            </div>
          </header>
          <ul class="queues flush">
            {files.map((each) => {
              const { tone, words } = certificateTone(each.notAfter, now());
              return (
                <li key={each.file}>
                  <div class="row-between">
                    <span class="mono small break">{each.file}</span>
                    <Badge tone={tone}>{words}</Badge>
                  </div>
                  <p class="small soft">
                    {each.names.join(", ")}, until <DayOf at={each.notAfter} />
                  </p>
                </li>
              );
            })}
          </ul>
        </section>
      )}
    </div>
  );
}

function Row({ of }: { of: CertificateRow }) {
  const { tone, words } = of.not_after ? certificateTone(of.not_after, now()) : { tone: "bad" as const, words: "None yet" };
  return (
    <tr>
      <th scope="row">
        {of.domain ? (
          <a class="break" href={`/domains/${encodeURIComponent(of.domain)}`}>
            {of.name}
          </a>
        ) : (
          <span class="break">{of.name}</span>
        )}
        {of.trouble && <span class="block tone-bad small break part-error">{of.trouble}</span>}
      </th>
      <td data-name="State">
        <Badge tone={of.trouble && tone === "good" ? "attention" : tone}>{of.trouble && tone === "good" ? "Not renewed" : words}</Badge>
        {!of.in_use && of.not_after && <span class="block dim small">not in use yet</span>}
      </td>
      <td data-name="Ends">
        <DayOf at={of.not_after} />
      </td>
      <td data-name="Renewed">
        <Ago at={of.renew_at} none="–" />
      </td>
      <td data-name="From" class="soft break">
        {of.file ?? (of.issuer || "–")}
      </td>
    </tr>
  );
}
