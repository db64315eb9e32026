// SPDX-License-Identifier: Apache-2.0
// Which domains are shown: by state, by a part of the name, by a label.
import { useRef } from "preact/hooks";
import { changedQuery, here, setQuery } from "../../router";
import { count } from "../../text/format";
import { SearchField } from "../../ui/field";
import { pageSize, type Rows } from "./pages";
import { firstOrder, sorts, sortWords, states, stateWords, type Sort, type State, type View } from "./query";

/** The labels that were seen on any row so far: the API has no list of its own. */
function useLabels(rows: Rows, chosen: string): string[] {
  const seen = useRef(new Set<string>());
  for (let i = 0; i < Math.min(rows.total ?? 0, pageSize * 10); ++i) for (const label of rows.at(i)?.labels ?? []) seen.current.add(label);
  if (chosen) seen.current.add(chosen);
  return [...seen.current].sort((a, b) => a.localeCompare(b));
}

const shortWords: Partial<Record<State, string>> = { attention: "Needs attention" };
/** The pieces of the bar above that a state is drawn as: the filters are its legend. */
const healthOf: Partial<Record<State, string>> = { protected: "protected", testing: "testing", broken: "broken", absent: "absent", unseen: "unseen" };
const always: State[] = ["all", "attention", "protected", "testing"];

export function Filters({ view, typed, type, rows, small }: { view: View; typed: string; type: (text: string) => void; rows: Rows; small: boolean }) {
  const labels = useLabels(rows, view.label);
  const counts = rows.counts;
  const shown = states.filter((state) => always.includes(state) || state === view.state || (counts?.[state] ?? 0) > 0);
  return (
    <div class="overview-filters">
      <nav class="filter-states" aria-label="States">
        {(counts ? shown : []).map((state) => (
          <a
            key={state}
            class="filter-state"
            title={state === "attention" ? stateWords.attention : undefined}
            href={here.value.path + changedQuery(here.value.search, { state: state === "all" ? null : state })}
            aria-current={view.state === state ? "true" : undefined}
          >
            {healthOf[state] && <span class={`filter-dot health-${healthOf[state]}`} aria-hidden="true" />}
            {shortWords[state] ?? stateWords[state]}
            <span class="filter-count">{count(counts?.[state] ?? 0)}</span>
          </a>
        ))}
      </nav>
      <div class="filter-fields">
        <SearchField label="Search domains" value={typed} set={type} />
        {(labels.length > 0 || view.label) && (
          <select class="select filter-label" aria-label="Label" value={view.label} onChange={(event) => setQuery({ label: event.currentTarget.value })}>
            <option value="">All labels</option>
            {labels.map((label) => (
              <option value={label} key={label}>
                {label}
              </option>
            ))}
          </select>
        )}
        {small && (
          <select
            class="select filter-label"
            aria-label="Sort by"
            value={view.sort}
            onChange={(event) => {
              const sort = event.currentTarget.value as Sort;
              setQuery({ sort: sort === "domain" ? null : sort, order: view.sort === sort ? view.order : firstOrder(sort) });
            }}
          >
            {sorts.map((sort) => (
              <option value={sort} key={sort}>
                Sort: {sortWords[sort]}
              </option>
            ))}
          </select>
        )}
      </div>
    </div>
  );
}
