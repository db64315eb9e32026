// SPDX-License-Identifier: Apache-2.0
// The health of all domains at a glance: how many are safe, which are not, what to do next.
import "./overview.css";
import { useEffect, useState } from "preact/hooks";
import { address } from "../../api/client";
import { here, queryOf, setQuery } from "../../router";
import { can } from "../../state/session";
import { count, plural } from "../../text/format";
import { Button, LinkButton } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { Bones, Empty, Failed, Page } from "../../ui/page";
import { useMedia } from "../../ui/windowed";
import { Filters } from "./filters";
import { FirstStart } from "./first_start";
import { Cards } from "./cards";
import { HealthBar } from "./health_bar";
import { useRows } from "./pages";
import { isFiltered, readView, toQuery } from "./query";
import { Table } from "./table";

export default function OverviewScreen() {
  const view = readView(queryOf(here.value));
  const [typed, setTyped] = useState(view.contains);
  useEffect(() => {
    // Not with every letter: the address, and with it the question, follow when the typing rests.
    const timer = window.setTimeout(() => typed !== view.contains && setQuery({ contains: typed }), 180);
    return () => window.clearTimeout(timer);
  }, [typed]);
  useEffect(() => {
    if (typed.trim() !== view.contains.trim()) setTyped(view.contains); // the address was changed otherwise
  }, [view.contains]);
  const rows = useRows(toQuery(view));
  const small = useMedia("(max-width: 60rem)");
  const { counts, total } = rows;

  if (counts && counts.all === 0 && !view.contains && !view.label) return <FirstStart />;
  const sub = counts ? summary(counts.all, counts.protected, counts.attention) : <span class="bone line overview-sub-bone" />;
  return (
    <Page
      title="Overview"
      sub={sub}
      actions={
        <>
          <LinkButton href={address("/overview.csv", toQuery(view))} icon="download" download="domains.csv">
            CSV
          </LinkButton>
          {can("operator") && (
            <LinkButton href="/domains/new" kind="primary" icon="plus">
              Add domain
            </LinkButton>
          )}
        </>
      }
    >
      <HealthBar counts={counts} view={view} />
      <Filters view={view} typed={typed} type={setTyped} rows={rows} small={small} />
      <div class="sr" role="status">
        {total !== null && !rows.busy ? `${plural(total, "domain")} shown` : ""}
      </div>
      {rows.error && total === null ? (
        <Failed error={rows.error} retry={rows.reload} />
      ) : total === null ? (
        <div class="card card-body overview-bones">
          <Bones lines={9} />
        </div>
      ) : total === 0 ? (
        <div class="card">
          <Empty
            icon={view.state === "attention" || view.state === "broken" ? "shield" : "search"}
            title={nothing(view.state, !!view.contains || !!view.label)}
            actions={
              isFiltered(view) && (
                <Button
                  onClick={() => {
                    setTyped("");
                    setQuery({ contains: null, label: null, state: null });
                  }}
                >
                  Show all domains
                </Button>
              )
            }
          />
        </div>
      ) : small ? (
        <Cards rows={rows} total={total} />
      ) : (
        <Table rows={rows} total={total} view={view} />
      )}
    </Page>
  );
}

function summary(all: number, safe: number, trouble: number) {
  return (
    <>
      {safe === all ? `All ${plural(all, "domain")} protected` : `${count(safe)} of ${plural(all, "domain")} protected`}
      {trouble > 0 && (
        <>
          {" · "}
          <span class="tone-bad overview-trouble">
            <Icon name="bad" size={14} />
            {trouble === 1 ? "1 needs attention" : `${count(trouble)} need attention`}
          </span>
        </>
      )}
    </>
  );
}

function nothing(state: string, searched: boolean): string {
  if (searched) return "No domain fits this";
  if (state === "attention") return "Every domain is set up and valid";
  if (state === "broken") return "No domain is broken";
  return "No domain is in this state";
}
