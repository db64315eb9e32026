// SPDX-License-Identifier: Apache-2.0
// Period, domain and reporter; what is chosen besides stands there to be taken away.
import { useEffect, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { Overview, Summary } from "../../api/types";
import { dayLong } from "../../charts/days";
import { go } from "../../router";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { type Change, type Filter, linkTo, periods } from "./filter";

/** Every reporter that was seen while the page is open: a narrow view must not take the others away. */
const known = new Map<string, string>();

export function FilterBar({ filter, summary, today }: { filter: Filter; summary: Summary | null; today: string }) {
  const [domain, setDomain] = useState(filter.domain);
  const [names, setNames] = useState<string[]>([]);
  const [own, setOwn] = useState(filter.days === 0);
  useEffect(() => setDomain(filter.domain), [filter.domain]);
  useEffect(() => {
    if (filter.days !== 0) setOwn(false);
  }, [filter.days]);
  for (const each of summary?.reporters ?? []) known.set(each.reporter, each.organization_name || each.reporter);
  if (filter.reporter && !known.has(filter.reporter)) known.set(filter.reporter, filter.reporter);
  useEffect(() => {
    const stop = new AbortController();
    const timer = window.setTimeout(() => {
      api
        .get<Overview>("/overview", { contains: domain.trim(), limit: 20 }, stop.signal)
        .then((found) => setNames(found.rows.map((each) => each.domain)))
        .catch(() => setNames([])); // without suggestions the name is typed
    }, 150);
    return () => {
      stop.abort();
      window.clearTimeout(timer);
    };
  }, [domain]);
  const to = (change: Change): void => go(linkTo(filter, change), { keep: true });
  const reporters = [...known].sort((a, b) => a[1].localeCompare(b[1], "en"));
  const chips: [string, string, Change][] = [];
  if (filter.result) chips.push(["Result", filter.result, { result: "" }]);
  if (filter.mx) chips.push(["Mail server", filter.mx, { mx: "" }]);
  return (
    <div class="report-filters" role="search" aria-label="What is shown">
      <div class="segments" role="group" aria-label="Period">
        {periods.map(([days, words]) => (
          <button key={days} type="button" aria-pressed={filter.days === days && !own} onClick={() => to({ days })}>
            {words}
          </button>
        ))}
        <button type="button" aria-pressed={own} aria-expanded={own} onClick={() => setOwn(!own)}>
          Days…
        </button>
      </div>
      <div class="filter-names">
        <label class="filter-field">
          <span class="sr">Domain</span>
          <input
            class="input"
            list="filter-domains"
            placeholder="All domains"
            value={domain}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => {
              setDomain(event.currentTarget.value);
              if (event.currentTarget.value === "" && filter.domain) to({ domain: "" });
            }}
            onChange={(event) => to({ domain: event.currentTarget.value.trim().toLowerCase() })}
          />
          <datalist id="filter-domains">
            {names.map((each) => (
              <option key={each} value={each} />
            ))}
          </datalist>
        </label>
        <label class="filter-field">
          <span class="sr">Reporter</span>
          <select class="select" value={filter.reporter} onChange={(event) => to({ reporter: event.currentTarget.value })}>
            <option value="">All reporters</option>
            {reporters.map(([reporter, name]) => (
              <option key={reporter} value={reporter}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      {own && (
        <div class="row filter-days">
          <label class="row">
            <span class="small soft">From</span>
            <input class="input" type="date" max={today} value={filter.from} onChange={(event) => event.currentTarget.value && to({ from: event.currentTarget.value, to: filter.to })} />
          </label>
          <label class="row">
            <span class="small soft">to</span>
            <input class="input" type="date" max={today} value={filter.to} onChange={(event) => event.currentTarget.value && to({ from: filter.from, to: event.currentTarget.value })} />
          </label>
        </div>
      )}
      {(chips.length > 0 || filter.days === 0) && (
        <ul class="row chips" aria-label="Narrowed to">
          {filter.days === 0 && !own && (
            <Chip name="Days" words={filter.from === filter.to ? dayLong(filter.from) : `${dayLong(filter.from)} to ${dayLong(filter.to)}`} drop={() => to({ days: 30 })} />
          )}
          {chips.map(([name, words, change]) => (
            <Chip key={name} name={name} words={words} drop={() => to(change)} />
          ))}
          {chips.length > 1 && (
            <li>
              <Button size="small" kind="quiet" onClick={() => go("/reports", { keep: true })}>
                Show all
              </Button>
            </li>
          )}
        </ul>
      )}
    </div>
  );
}

function Chip({ name, words, drop }: { name: string; words: string; drop: () => void }) {
  return (
    <li class="chip">
      <span class="dim">{name}</span> {words}
      <button type="button" aria-label={`Leave out ${name.toLowerCase()} ${words}`} onClick={drop}>
        <Icon name="close" size={12} />
      </button>
    </li>
  );
}
