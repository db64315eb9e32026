// SPDX-License-Identifier: Apache-2.0
// Which domains are shown: by state, by a part of the name, by a label.
import { api } from "../../api/client";
import type { LabelList } from "../../api/types";
import { changedQuery, here, setQuery } from "../../router";
import { useResource } from "../../state/resource";
import { count } from "../../text/format";
import { SearchField } from "../../ui/field";
import type { Rows } from "./pages";
import { firstOrder, sorts, sortWords, states, stateWords, type Sort, type State, type View } from "./query";

/** Every label, and the chosen one where it stands on no domain any more. */
export function labelChoices(list: LabelList | null, chosen: string): { label: string; domains: number }[] {
  const all = [...(list?.labels ?? [])];
  if (chosen && !all.some((each) => each.label === chosen)) all.push({ label: chosen, domains: 0 });
  return all.sort((a, b) => a.label.localeCompare(b.label));
}

const shortWords: Partial<Record<State, string>> = { attention: "Needs attention" };
/** The pieces of the bar above that a state is drawn as: the filters are its legend. */
const healthOf: Partial<Record<State, string>> = { protected: "protected", testing: "testing", broken: "broken", absent: "absent", unseen: "unseen" };
const always: State[] = ["all", "attention", "protected", "testing"];

export function Filters({ view, typed, type, rows, small }: { view: View; typed: string; type: (text: string) => void; rows: Rows; small: boolean }) {
  const list = useResource<LabelList>("labels", (signal) => api.get("/labels", undefined, signal), 60);
  const labels = labelChoices(list.data, view.label);
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
        {labels.length > 0 && (
          <select class="select filter-label" aria-label="Label" value={view.label} onChange={(event) => setQuery({ label: event.currentTarget.value })}>
            <option value="">All labels</option>
            {labels.map(({ label, domains }) => (
              <option value={label} key={label}>
                {label} ({count(domains)})
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
