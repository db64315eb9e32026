// SPDX-License-Identifier: Apache-2.0
// The table behind a graph.
import type { ComponentChildren } from "preact";

export interface Column {
  name: string;
  number?: boolean;
}

export function DataTable({ caption, columns, rows }: { caption: string; columns: Column[]; rows: ComponentChildren[][] }) {
  return (
    <div class="table-scroll data-table" tabIndex={0} role="region" aria-label={caption}>
      <table class="table">
        <caption class="sr">{caption}</caption>
        <thead>
          <tr>
            {columns.map((each) => (
              <th key={each.name} scope="col" class={each.number ? "num" : ""}>
                {each.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i}>
              {row.map((cell, at) =>
                at === 0 ? (
                  <th scope="row" key={at}>
                    {cell}
                  </th>
                ) : (
                  <td key={at} class={columns[at]?.number ? "num" : ""}>
                    {cell}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
