// SPDX-License-Identifier: Apache-2.0
// Success and failure over time by reporter: two panels with one axis (failures are few, so they have a scale of their
// own), the lane of changes below, and the same as a table. Arrow keys go from day to day.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import type { Day, Summary } from "../api/types";
import "./charts.css";
import { onTheme, seriesProperty } from "./colours";
import { daysWords } from "./days";
import { Lane, MarkShape } from "./lane";
import { type Mark, kinds, placed } from "./marks";
import { count, share } from "../text/format";
import { drawPanel, gutter, margin, redrawPanel } from "./panel";
import { columnWords, graphOf, graphWords } from "./series";
import { DataTable } from "./table";

interface Given {
  summary: Summary;
  from: Day;
  to: Day;
  /** Where the reports of some days stand. */
  link: (from: Day, to: Day) => string;
}

const heights = { success: 190, failure: 118 };

export function TimeGraph({ summary, from, to, link }: Given) {
  const graph = useMemo(() => graphOf(summary, from, to), [summary, from, to]);
  const [hidden, setHidden] = useState<readonly boolean[]>([]);
  const [table, setTable] = useState(false);
  const [width, setWidth] = useState(0);
  const [at, setAt] = useState<number | null>(null); // under the pointer or the arrow keys
  const [kept, setKept] = useState<number | null>(null); // what was chosen
  const root = useRef<HTMLDivElement>(null);
  const top = useRef<HTMLDivElement>(null);
  const bottom = useRef<HTMLDivElement>(null);
  const panels = useRef<uPlot[]>([]);
  const many = graph.starts.length;
  const plot = Math.max(1, width - gutter - margin);
  const marks = useMemo(() => placed(graph, summary.marks, plot), [graph, summary.marks, plot]);
  const shownKinds = [...new Set(marks.flatMap((each) => each.marks.map((mark) => mark.kind)))] as Mark["kind"][];

  useEffect(() => {
    setHidden([]);
    setAt(null);
    setKept(null);
  }, [graph]);
  useLayoutEffect(() => {
    const element = root.current;
    if (!element) return;
    const measure = (): void => setWidth(Math.floor(element.clientWidth));
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    measure();
    return () => watch.disconnect();
  }, [table]);
  useLayoutEffect(() => {
    if (!top.current || !bottom.current || width < 60) return;
    const wish = { graph, hidden, width };
    const made = [
      drawPanel(top.current, { ...wish, what: "success", height: heights.success, axis: false }),
      drawPanel(bottom.current, { ...wish, what: "failure", height: heights.failure, axis: true }),
    ];
    panels.current = made;
    const end = onTheme(() => made.forEach((each) => each.redraw(false)));
    return () => {
      end();
      made.forEach((each) => each.destroy());
      panels.current = [];
    };
  }, [graph, width, table]);
  useEffect(() => {
    panels.current.forEach((each, i) => redrawPanel(each, { graph, hidden, width, what: i === 0 ? "success" : "failure", height: 0, axis: i === 1 }));
  }, [hidden]);

  const column = (event: PointerEvent | MouseEvent): number => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return Math.min(many - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * many)));
  };
  const key = (event: KeyboardEvent): void => {
    const now = at ?? kept ?? many - 1;
    const goes: Record<string, number> = { ArrowLeft: now - 1, ArrowRight: now + 1, ArrowDown: now - 1, ArrowUp: now + 1, PageUp: now - 7, PageDown: now + 7, Home: 0, End: many - 1 };
    const next = goes[event.key];
    if (next !== undefined) setAt(Math.min(many - 1, Math.max(0, next)));
    else if (event.key === "Enter" || event.key === " ") setKept(now);
    else if (event.key === "Escape") {
      setAt(null);
      setKept(null);
    } else return;
    event.preventDefault();
  };
  const lit = at ?? kept;
  const unit = graph.step === 1 ? "day" : "week";

  return (
    <div class="graph-whole">
      <div class="graph-head">
        <ul class="legend" aria-label="Reporters: press one to leave it out of the graph">
          {graph.series.map((each, i) => (
            <li key={each.reporter}>
              <button
                type="button"
                class="legend-item"
                aria-pressed={!hidden[i]}
                disabled={table}
                title={each.reporter === "" ? each.members.join(", ") : each.reporter}
                onClick={() => setHidden(graph.series.map((_, n) => (n === i ? !hidden[n] : (hidden[n] ?? false))))}
              >
                <span class={`swatch ${seriesProperty(i, each.reporter === "").slice(2)}`} aria-hidden="true" />
                {each.name}
              </button>
            </li>
          ))}
        </ul>
        <button type="button" class="button small" onClick={() => setTable(!table)}>
          {table ? "As a graph" : "As a table"}
        </button>
      </div>
      <p class="sr">{graphWords(graph)}</p>
      {table ? (
        <DataTable
          caption={`Sessions of each ${unit}, ${daysWords(from, to)}`}
          columns={[
            { name: unit === "day" ? "Day" : "Week" },
            { name: "Succeeded", number: true },
            { name: "Failed", number: true },
            { name: "Share", number: true },
            ...graph.series.map((each) => ({ name: each.name, number: true })),
            { name: "Changes" },
          ]}
          rows={graph.starts
            .map((start, i) => {
              const end = graph.ends[i] ?? start;
              const good = graph.success[i] ?? 0;
              const bad = graph.failure[i] ?? 0;
              return [
                <a href={link(start, end)}>{daysWords(start, end)}</a>,
                count(good),
                count(bad),
                share(bad, good + bad),
                ...graph.series.map((each) => `${count(each.success[i] ?? 0)}${(each.failure[i] ?? 0) > 0 ? ` + ${count(each.failure[i] ?? 0)} failed` : ""}`),
                summary.marks
                  .filter((mark) => mark.at.slice(0, 10) >= start && mark.at.slice(0, 10) <= end)
                  .map((mark) => mark.words)
                  .join("; "),
              ];
            })
            .reverse()}
        />
      ) : (
        <>
          <div class="graph" ref={root}>
            <p class="graph-title">Succeeded</p>
            <div ref={top} class="graph-panel graph-panel-success" aria-hidden="true" />
            <p class="graph-title graph-title-failure">Failed</p>
            <div ref={bottom} class="graph-panel graph-panel-failure" aria-hidden="true" />
            <Lane placed={marks} width={width} />
            <div
              class="graph-over"
              role="slider"
              tabIndex={0}
              aria-label={`Sessions of each ${unit}. Arrow keys move, Enter keeps one.`}
              aria-valuemin={0}
              aria-valuemax={many - 1}
              aria-valuenow={lit ?? many - 1}
              aria-valuetext={columnWords(graph, lit ?? many - 1)}
              onKeyDown={key}
              onPointerMove={(event) => setAt(column(event))}
              onPointerLeave={() => setAt(null)}
              onBlur={() => setAt(null)}
              onClick={(event) => {
                const chosen = column(event);
                setKept(chosen === kept ? null : chosen);
              }}
            >
              {marks.map((each) => (
                <span class="guide" key={each.at} style={{ left: `${each.at * 100}%` }} />
              ))}
              {lit !== null && <span class="lit" style={{ left: `${(lit * 100) / many}%`, width: `${100 / many}%` }} />}
            </div>
            {at !== null && <Tip graph={graph} at={at} many={many} plot={plot} hidden={hidden} />}
          </div>
          {shownKinds.length > 0 && (
            <ul class="mark-legend" aria-hidden="true">
              {shownKinds.map((each) => (
                <li key={each}>
                  <MarkShape kind={each} />
                  {kinds[each]}
                </li>
              ))}
            </ul>
          )}
          {kept !== null && graph.starts[kept] !== undefined && (
            <div class="notice kept" role="status">
              <span class="grow">{columnWords(graph, kept)}</span>
              <a class="button small" href={link(graph.starts[kept], graph.ends[kept] ?? graph.starts[kept])}>
                Reports of this {unit}
              </a>
            </div>
          )}
        </>
      )}
    </div>
  );
}

function Tip({ graph, at, many, plot, hidden }: { graph: ReturnType<typeof graphOf>; at: number; many: number; plot: number; hidden: readonly boolean[] }) {
  const start = graph.starts[at] ?? "";
  const end = graph.ends[at] ?? start;
  const good = graph.success[at] ?? 0;
  const bad = graph.failure[at] ?? 0;
  const middle = gutter + ((at + 0.5) / many) * plot;
  const left = middle > (gutter + plot) / 2;
  return (
    <div class={`float tip ${left ? "tip-left" : ""}`} aria-hidden="true" style={{ left: `${middle}px` }}>
      <div class="tip-head">{daysWords(start, end)}</div>
      {good + bad === 0 ? (
        <div class="dim">No reports</div>
      ) : (
        <table>
          <thead>
            <tr>
              <td />
              <td class="num">Good</td>
              <td class="num">Failed</td>
            </tr>
          </thead>
          <tbody>
            {graph.series.map((each, i) =>
              hidden[i] || (each.success[at] ?? 0) + (each.failure[at] ?? 0) === 0 ? null : (
                <tr key={each.reporter}>
                  <td>
                    <span class={`swatch ${seriesProperty(i, each.reporter === "").slice(2)}`} />
                    {each.name}
                  </td>
                  <td class="num">{count(each.success[at] ?? 0)}</td>
                  <td class={`num ${(each.failure[at] ?? 0) > 0 ? "tone-bad" : "dim"}`}>{count(each.failure[at] ?? 0)}</td>
                </tr>
              ),
            )}
            <tr class="tip-all">
              <td>All</td>
              <td class="num">{count(good)}</td>
              <td class={`num ${bad > 0 ? "tone-bad" : "dim"}`}>{count(bad)}</td>
            </tr>
          </tbody>
        </table>
      )}
    </div>
  );
}
