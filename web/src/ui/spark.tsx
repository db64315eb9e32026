// SPDX-License-Identifier: Apache-2.0
// A month in a line: one bar a day, the failed part in front. Drawn as SVG attributes, so that thousands are cheap.
import { count, plural, share } from "../text/format";

export function sparkWords(series: [number, number][]): string {
  const good = series.reduce((sum, [ok]) => sum + ok, 0);
  const bad = series.reduce((sum, [, failed]) => sum + failed, 0);
  if (good + bad === 0) return "No sessions reported in 30 days";
  return `${plural(good + bad, "session")} in ${plural(series.length, "day")}, ${count(bad)} failed (${share(bad, good + bad)})`;
}

/** Heights by the square root, so that a bad day shows beside a big good one. */
export function Spark({ series, width = 96, height = 24 }: { series: [number, number][]; width?: number; height?: number }) {
  const most = Math.max(1, ...series.map(([ok, failed]) => ok + failed));
  const step = width / Math.max(1, series.length);
  const tall = (n: number) => (n <= 0 ? 0 : Math.max(2, Math.sqrt(n / most) * height));
  let fine = "";
  let failed = "";
  let none = "";
  series.forEach(([ok, wrong], i) => {
    const x = (i * step).toFixed(2);
    const w = Math.max(1, step - 1).toFixed(2);
    if (ok + wrong === 0) none += `M${x} ${height - 1}h${w}v1h-${w}z`;
    else {
      const all = tall(ok + wrong);
      fine += `M${x} ${(height - all).toFixed(2)}h${w}v${all.toFixed(2)}h-${w}z`;
      if (wrong) {
        const part = Math.min(all, Math.max(2.5, tall(wrong)));
        failed += `M${x} ${(height - part).toFixed(2)}h${w}v${part.toFixed(2)}h-${w}z`;
      }
    }
  });
  return (
    <svg class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={sparkWords(series)}>
      <path class="bar-none" d={none} />
      <path class="bar-ok" d={fine} />
      <path class="bar-bad" d={failed} />
    </svg>
  );
}
