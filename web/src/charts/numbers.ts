// SPDX-License-Identifier: Apache-2.0
// Numbers at the edge of a graph. Pure.

/** For axes and narrow places: "950", "1.2k", "28k", "3.4M". */
export function compact(value: number): string {
  const steps: [number, string][] = [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ];
  for (const [size, letter] of steps) {
    if (Math.abs(value) < size) continue;
    const some = value / size;
    return (Math.abs(some) >= 10 ? Math.trunc(some).toString() : (Math.trunc(some * 10) / 10).toString()) + letter;
  }
  return Math.trunc(value).toString();
}

/** Round steps from 0 up to at least `most`, about `wanted` of them beside 0; whole numbers alone. */
export function ticks(most: number, wanted = 4): number[] {
  if (!(most > 0)) return [0, 1];
  const rough = most / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough && Number.isInteger(each)) ?? 1;
  const all = [0];
  while ((all.at(-1) ?? 0) < most) all.push((all.at(-1) ?? 0) + step);
  return all;
}

/** "a", "a and b", "a, b and c", "a, b and 3 more". */
export function listed(names: readonly string[], most = 4): string {
  const shown = names.length > most ? [...names.slice(0, most - 1), `${names.length - most + 1} more`] : [...names];
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1) ?? ""}`;
}
