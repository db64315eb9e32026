// SPDX-License-Identifier: Apache-2.0
// The sheet of a screen stays when another screen is shown: two must not speak of the same class.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../src", import.meta.url));
const sheets = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".css"));

/** The classes that a rule of this sheet begins with: what stands after them is within them. */
function begun(file: string): Set<string> {
  const text = readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
  const classes = new Set<string>();
  for (const [, selectors = ""] of text.matchAll(/([^{}]+)\{/g)) {
    if (selectors.trim().startsWith("@")) continue;
    for (const one of selectors.split(",")) {
      const first = /^\s*\.([a-z][a-z0-9-]*)/.exec(one)?.[1];
      // ".table.matrix", ".stage.done": the second says whose it is.
      if (first && !/^\s*\.[a-z0-9-]+\.[a-z]/.test(one)) classes.add(first);
    }
  }
  return classes;
}

it("no screen's sheet reaches into another screen", () => {
  const own = sheets.filter((file) => !file.startsWith("styles")).map((file) => ({ file, classes: begun(file) }));
  const twice = own.flatMap((one, i) => own.slice(i + 1).flatMap((two) => [...one.classes].filter((name) => two.classes.has(name)).map((name) => `.${name}: ${one.file} and ${two.file}`)));
  expect(own.length).toBeGreaterThan(8);
  expect(twice).toEqual([]);
});

it("a theme's colours stand once, and the dark one has every colour of the light one", () => {
  const text = readFileSync(join(root, "styles/tokens.css"), "utf8");
  const names = (block: string): string[] => [...block.matchAll(/(--[a-z0-9-]+):\s*(?:#|rgb|0 )/g)].map((each) => each[1]!).sort();
  const blocks = [...text.matchAll(/:root[^{]*\{([^}]*)\}/g)].map((each) => names(each[1]!));
  expect(blocks).toHaveLength(2);
  expect(blocks[1]).toEqual(blocks[0]!.filter((name) => !/^--(font|mono|text|s\d|radius)/.test(name)));
});
