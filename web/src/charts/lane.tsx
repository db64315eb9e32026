// SPDX-License-Identifier: Apache-2.0
// The lane of changes under the graph: each a button that says what changed; near ones are one with a number.
import { useEffect, useRef, useState } from "preact/hooks";
import { gutter, margin } from "./panel";
import { dayLong } from "./days";
import { type Mark, type Placed, kinds, markWords } from "./marks";

const shapes: Record<Mark["kind"], string> = {
  policy: "M8 1.5L14.5 8L8 14.5L1.5 8Z",
  mx: "M2.5 2.5H13.5V13.5H2.5Z",
  record: "M8 2A6 6 0 1 1 8 14A6 6 0 1 1 8 2Z",
  mode: "M8 1.8L14.8 13.6H1.2Z",
};

export function MarkShape({ kind }: { kind: Mark["kind"] }) {
  return (
    <svg width="12" height="12" viewBox="0 0 16 16" aria-hidden="true" class={`mark-shape mark-${kind}`}>
      <path d={shapes[kind]} />
    </svg>
  );
}

export function Lane({ placed, width }: { placed: Placed[]; width: number }) {
  const [open, setOpen] = useState<number | null>(null);
  const [pinned, setPinned] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (open === null) return;
    const away = (event: Event): void => {
      if (event instanceof KeyboardEvent ? event.key === "Escape" : !root.current?.contains(event.target as Node)) {
        setOpen(null);
        setPinned(false);
      }
    };
    document.addEventListener("keydown", away);
    document.addEventListener("pointerdown", away);
    return () => {
      document.removeEventListener("keydown", away);
      document.removeEventListener("pointerdown", away);
    };
  }, [open]);
  const plot = Math.max(0, width - gutter - margin);
  const shown = open === null ? undefined : placed[open];
  const card = Math.min(320, width);
  return (
    <div class="lane" ref={root}>
      <span class="lane-name" id="lane-name">
        Changes
      </span>
      <ul class="lane-line" aria-labelledby="lane-name">
        {placed.map((each, i) => (
          <li key={`${each.marks[0]?.at ?? ""}${i}`} style={{ left: `${each.at * plot}px` }}>
            <button
              type="button"
              class="lane-mark"
              aria-expanded={open === i}
              aria-label={`${each.marks.length > 1 ? `${each.marks.length} changes: ` : ""}${each.marks.map(markWords).join(". ")}`}
              onPointerEnter={(event) => {
                if (event.pointerType === "mouse" && !pinned) setOpen(i);
              }}
              onPointerLeave={(event) => {
                if (event.pointerType === "mouse" && !pinned) setOpen(null);
              }}
              onFocus={() => setOpen(i)}
              onBlur={() => {
                if (!pinned) setOpen(null);
              }}
              onClick={() => {
                setPinned(!(pinned && open === i));
                setOpen(pinned && open === i ? null : i);
              }}
            >
              {each.marks.length > 1 ? <span class="lane-many">{each.marks.length}</span> : <MarkShape kind={each.marks[0]?.kind ?? "policy"} />}
            </button>
          </li>
        ))}
      </ul>
      {placed.length === 0 && <span class="lane-none">None seen in this period</span>}
      {shown && (
        <div class="float lane-float" style={{ width: `${card}px`, left: `${Math.min(width - card, Math.max(0, gutter + shown.at * plot - card / 2))}px` }}>
          <ul class="stack-s">
            {shown.marks.map((mark) => (
              <li key={mark.at + mark.words} class="lane-said">
                <MarkShape kind={mark.kind} />
                <span>
                  <span class="dim small">
                    {dayLong(mark.at.slice(0, 10))}, {mark.at.slice(11, 16)} UTC · {kinds[mark.kind]}
                  </span>
                  <br />
                  {mark.words}
                </span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
