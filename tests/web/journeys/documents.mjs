// SPDX-License-Identifier: Apache-2.0
// The pictures of docs/images, for README and the documents: the demo's world on its fourth day, when the attacker is at
// work. Written small, as WebP, by the browser itself. Only with --documents, since they change with every look.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { settled } from "../lib/browser.mjs";
import { top } from "../lib/demo.mjs";
import { administrator } from "../lib/enter.mjs";
import { holds, journey } from "../lib/journey.mjs";

const images = join(top, "docs", "images");
const shots = [
  { file: "overview", path: "/", theme: "light", height: 900 },
  { file: "overview-dark", path: "/", theme: "dark", height: 900 },
  { file: "domain", path: "/domains/harbour-docks.test", theme: "light", height: 1010 },
  { file: "reports", path: "/reports", theme: "light", height: 1100 },
];

/** The same picture as WebP, drawn by a page that has nothing to do with ours. */
async function packed(browser, png, quality) {
  const page = await browser.newPage();
  const text = await page.evaluate(
    async ({ data, quality }) => {
      const image = new Image();
      image.src = `data:image/png;base64,${data}`;
      await image.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width: image.naturalWidth, height: image.naturalHeight });
      canvas.getContext("2d").drawImage(image, 0, 0);
      return canvas.toDataURL("image/webp", quality).split(",")[1];
    },
    { data: png.toString("base64"), quality },
  );
  await page.close();
  return Buffer.from(text, "base64");
}

journey("pictures of the documents", { needs: "documents" }, async (world) => {
  mkdirSync(images, { recursive: true });
  for (let day = 0; day < 4; ++day) await world.demo.day();
  for (const shot of shots) {
    const one = await administrator(world, { theme: shot.theme, viewport: { width: 1280, height: shot.height }, deviceScaleFactor: 1.5 });
    await one.page.goto(shot.path);
    await settled(one.page);
    await one.page.waitForTimeout(500);
    const small = await packed(world.browser, await one.page.screenshot(), 0.82);
    holds(`${shot.file} has ${small.length} bytes`, small.length < 160_000);
    writeFileSync(join(images, `${shot.file}.webp`), small);
    console.log(`       docs/images/${shot.file}.webp: ${(small.length / 1000).toFixed(0)} kB`);
    await one.close();
  }
});
