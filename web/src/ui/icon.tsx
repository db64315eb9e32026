// SPDX-License-Identifier: Apache-2.0
// Our own signs, drawn on 16 by 16. Beside a word they are decoration; alone they need `label`.
const paths = {
  good: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13ZM5.2 8.2l2 2 3.7-4.2",
  attention: "M8 2.2 14.4 13.3a.6.6 0 0 1-.5.9H2.1a.6.6 0 0 1-.5-.9L8 2.2ZM8 6.4v3.4M8 11.9v.1",
  bad: "M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3l3.8-3.8ZM5.9 5.9l4.2 4.2M10.1 5.9l-4.2 4.2",
  unknown: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13ZM6.2 6.3a1.8 1.8 0 1 1 2.6 1.6c-.5.3-.8.6-.8 1.2M8 11.2v.1",
  missing: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13ZM5.2 8h5.6",
  info: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13ZM8 7.3v3.6M8 5v.1",
  check: "m3 8.5 3.2 3.2L13 4.5",
  close: "m4 4 8 8M12 4l-8 8",
  plus: "M8 3v10M3 8h10",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9ZM10.4 10.4l3.1 3.1",
  up: "M8 13V3M4 7l4-4 4 4",
  down: "M8 3v10M4 9l4 4 4-4",
  right: "m6 3.5 4.5 4.5L6 12.5",
  left: "M10 3.5 5.5 8l4.5 4.5",
  chevron: "m4 6 4 4 4-4",
  external: "M9.5 2.5h4v4M13.5 2.5 7.5 8.5M12 9.5v3a1 1 0 0 1-1 1H3.5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1h3",
  copy: "M5.5 5.5v-2a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-2M3.5 5.5h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-6a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1Z",
  download: "M8 2.5v7.5M4.7 7 8 10.3 11.3 7M2.5 13.5h11",
  upload: "M8 10.5V3M4.7 6 8 2.7 11.3 6M2.5 13.5h11",
  refresh: "M13.5 8a5.5 5.5 0 1 1-1.8-4.1M13.5 2v3.2h-3.2",
  home: "M2.5 7 8 2.5 13.5 7v6.5h-3.8V9.8H6.3v3.7H2.5V7Z",
  shield: "M8 1.6 13.5 3.5v4.2c0 3.2-2.3 5.6-5.5 6.7-3.2-1.1-5.5-3.5-5.5-6.7V3.5L8 1.6ZM5.6 7.9l1.8 1.8 3.1-3.5",
  scan: "M2.5 5.5v-2a1 1 0 0 1 1-1h2M10.5 2.5h2a1 1 0 0 1 1 1v2M13.5 10.5v2a1 1 0 0 1-1 1h-2M5.5 13.5h-2a1 1 0 0 1-1-1v-2M4.5 8h7",
  reports: "M3 13.5v-5M6.3 13.5v-9M9.7 13.5V7M13 13.5V2.5",
  file: "M4 1.8h5l3.5 3.5v8a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-10.5a1 1 0 0 1 1-1ZM8.8 1.8v3.7h3.7M5.5 8.5h5M5.5 11h5",
  send: "m14 2-5.2 12-2.3-5.5L1 6.2 14 2ZM14 2 6.5 8.5",
  system: "M3 2.5h10a.8.8 0 0 1 .8.8v3a.8.8 0 0 1-.8.8H3a.8.8 0 0 1-.8-.8v-3a.8.8 0 0 1 .8-.8ZM3 8.9h10a.8.8 0 0 1 .8.8v3a.8.8 0 0 1-.8.8H3a.8.8 0 0 1-.8-.8v-3a.8.8 0 0 1 .8-.8ZM4.8 4.8h.1M4.8 11.2h.1",
  sun: "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM8 1.2v1.3M8 13.5v1.3M1.2 8h1.3M13.5 8h1.3M3.2 3.2l.9.9M11.9 11.9l.9.9M3.2 12.8l.9-.9M11.9 4.1l.9-.9",
  moon: "M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1Z",
  display: "M2.5 3h11a.8.8 0 0 1 .8.8v6.4a.8.8 0 0 1-.8.8h-11a.8.8 0 0 1-.8-.8V3.8a.8.8 0 0 1 .8-.8ZM5.5 13.7h5M8 11v2.7",
  out: "M6 2.5H3.5a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1H6M10 11l3-3-3-3M13 8H6",
  person: "M8 2.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6ZM2.6 13.8c.5-2.6 2.6-4.2 5.4-4.2s4.9 1.6 5.4 4.2",
  clock: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13ZM8 4.5V8l2.4 1.6",
  bolt: "M9 1.5 3 9h4.3L7 14.5 13 7H8.7L9 1.5Z",
  mail: "M2.5 3.5h11a.8.8 0 0 1 .8.8v7.4a.8.8 0 0 1-.8.8h-11a.8.8 0 0 1-.8-.8V4.3a.8.8 0 0 1 .8-.8ZM2 4.6l6 4.4 6-4.4",
  lock: "M4 7h8a1 1 0 0 1 1 1v5a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1ZM5.2 7V4.8a2.8 2.8 0 0 1 5.6 0V7",
  key: "M10 2.5a3.5 3.5 0 1 1-2.6 5.8L2.5 13.5h2v-1.6h1.6v-1.5l1.6-1.3M10.8 5.2v.1",
  more: "M3.5 8h.1M8 8h.1M12.5 8h.1",
  settings: "M2.5 4.5h6M11.5 4.5h2M2.5 11.5h2M7.5 11.5h6M10 3a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3ZM6 10a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3Z",
  history: "M2.5 8a5.5 5.5 0 1 0 1.8-4.1M2.5 2v3.2h3.2M8 5v3.2l2 1.3",
  pause: "M5.5 3v10M10.5 3v10",
  play: "M4.5 2.8 12.5 8l-8 5.2V2.8Z",
  trash: "M2.8 4.2h10.4M6 4.2V2.5h4v1.7M4 4.2l.6 9.3h6.8l.6-9.3",
  mute: "M2.5 6v4h2.3L8 12.8V3.2L4.8 6H2.5ZM10.5 6.3l3.4 3.4M13.9 6.3l-3.4 3.4",
  pencil: "m2.5 13.5.6-2.9 7.6-7.6a1.2 1.2 0 0 1 1.7 0l.6.6a1.2 1.2 0 0 1 0 1.7l-7.6 7.6-2.9.6Z",
  filter: "M2 3.5h12M4.5 8h7M6.8 12.5h2.4",
  globe: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13ZM1.8 8h12.4M8 1.5c4 4 4 9 0 13M8 1.5c-4 4-4 9 0 13",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, label, size = 16 }: { name: IconName; label?: string; size?: number }) {
  return (
    <svg
      class="sign"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width={name === "more" ? 2.2 : 1.5}
      stroke-linecap="round"
      stroke-linejoin="round"
      role={label ? "img" : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : "true"}
    >
      <path d={paths[name]} />
    </svg>
  );
}

/** The mark of the product. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8.5" fill="var(--accent)" />
      <g fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round">
        <rect x="6.5" y="8.5" width="19" height="15" rx="3" />
        <path d="m7.5 11 6.4 5.4a3.2 3.2 0 0 0 4.2 0L24.500 11" />
      </g>
    </svg>
  );
}
