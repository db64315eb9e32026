// SPDX-License-Identifier: Apache-2.0
// Failed sessions by reporter and MX host, as a table whose cells are the darker the more failed; each leads to its
// reports.
import { useMemo } from "preact/hooks";
import type { Summary } from "../api/types";
import "./charts.css";
import { matrixOf } from "./matrix";
import { count, plural, share } from "../text/format";

interface Given {
  summary: Pick<Summary, "reporter_mx" | "reporters">;
  link: (filter: { reporter?: string; mx?: string }) => string;
}

export function MxMatrix({ summary, link }: Given) {
  const matrix = useMemo(() => matrixOf(summary), [summary]);
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label="Failed sessions by reporter and mail server">
      <table class="table matrix">
        <caption class="sr">Failed sessions by reporter and mail server. Reports name a mail server only where a session with it failed.</caption>
        <thead>
          <tr>
            <th scope="col">Reporter</th>
            <th scope="col" class="num">
              Sessions
            </th>
            <th scope="col" class="num">
              Failed
            </th>
            {matrix.hosts.map((each) => (
              <th key={each.mx} scope="col" class="matrix-host">
                {each.mx === "" ? <span class="dim">not said</span> : <a href={link({ mx: each.mx })}>{each.mx}</a>}
              </th>
            ))}
            {matrix.more > 0 && (
              <th scope="col" class="num">
                {plural(matrix.more, "more host")}
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {matrix.rows.map((row) => (
            <tr key={row.reporter}>
              <th scope="row">
                <a href={link({ reporter: row.reporter })}>{row.name}</a>
                {row.name !== row.reporter && <span class="dim small matrix-name">{row.reporter}</span>}
              </th>
              <td class="num">{count(row.success + row.failure)}</td>
              <td class="num">
                {row.failure === 0 ? (
                  <span class="dim">none</span>
                ) : (
                  <>
                    <span class="tone-bad">{count(row.failure)}</span> <span class="dim small nowrap">{share(row.failure, row.success + row.failure)}</span>
                  </>
                )}
              </td>
              {row.cells.map((cell) => (
                <td key={cell.mx} class="matrix-cell">
                  {cell.failure > 0 ? (
                    <a
                      class={`heat heat-${cell.level}`}
                      href={link(cell.mx === "" ? { reporter: row.reporter } : { reporter: row.reporter, mx: cell.mx })}
                      aria-label={`${plural(cell.failure, "failed session")}, ${row.name}, ${cell.mx === "" ? "server not said" : cell.mx}`}
                    >
                      {count(cell.failure)}
                    </a>
                  ) : (
                    <span class="heat heat-0" aria-label="none">
                      ·
                    </span>
                  )}
                </td>
              ))}
              {matrix.more > 0 && <td class="num">{row.others > 0 ? count(row.others) : ""}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
