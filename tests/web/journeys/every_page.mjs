// SPDX-License-Identifier: Apache-2.0
// Every page in both themes and two widths: nothing for axe to find, nothing wider than the window, and a picture.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { axe, settled, sideways, weight, widths } from "../lib/browser.mjs";
import { build } from "../lib/demo.mjs";
import { administrator } from "../lib/enter.mjs";
import { holds, journey, none, same } from "../lib/journey.mjs";
import { open, places } from "../lib/places.mjs";

const pictures = join(build, "pictures");

async function look(page, name, theme, width, take) {
  const found = [...(await axe(page)), ...(await sideways(page))].map((each) => `${name}: ${each}`);
  same(`${name}: headings of the first level`, await page.getByRole("heading", { level: 1 }).count(), 1);
  holds(`${name} has a title`, (await page.title()).length > 0);
  if (take) {
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, `${name}-${theme}-${width}.png`), fullPage: width === "wide" });
  }
  return found;
}

for (const theme of ["light", "dark"])
  for (const width of Object.keys(widths))
    journey(`every page, ${theme}, ${width}`, {}, async (world) => {
      const one = await administrator(world, { theme, width });
      one.allow(/404/);
      const found = [];
      for (const place of places) {
        await open(one.page, place);
        found.push(...(await look(one.page, place.name, theme, width, world.pictures)));
      }
      const stranger = await world.visit({ theme, width });
      stranger.allow(/401/);
      await stranger.page.goto("/login");
      await settled(stranger.page);
      found.push(...(await look(stranger.page, "login", theme, width, world.pictures)));
      none("what is wrong with the pages", found);
    });

journey("every page by the keyboard: a way past the navigation, and a focus that is seen", {}, async (world) => {
  const one = await administrator(world);
  await open(one.page, places[0]);
  await one.page.keyboard.press("Tab");
  const first = await one.page.evaluate(() => ({ words: document.activeElement.textContent, target: document.activeElement.getAttribute("href") }));
  holds(`the first stop leads to the content: ${JSON.stringify(first)}`, /skip|content/i.test(first.words) && first.target?.startsWith("#"));
  const unseen = [];
  for (let stop = 0; stop < 25; ++stop) {
    await one.page.keyboard.press("Tab");
    const seen = await one.page.evaluate(() => {
      const at = document.activeElement;
      if (at === document.body) return null;
      // On the element, on what is drawn around it, or on the row or card that it stands for.
      const shows = (one, part) => ((style) => (style.outlineStyle !== "none" && style.outlineWidth !== "0px") || style.boxShadow !== "none")(getComputedStyle(one, part));
      const around = [at.parentElement, at.closest("tr, article, li")].filter(Boolean);
      return { what: at.outerHTML.slice(0, 90), shown: [null, "::before", "::after"].some((part) => shows(at, part)) || around.some((one) => getComputedStyle(one).outlineStyle !== "none") };
    });
    if (seen && !seen.shown) unseen.push(seen.what);
  }
  none("elements whose focus is not seen", unseen);
});

journey("every page: the first visit is light and quick", {}, async (world) => {
  const one = await administrator(world);
  const { bytes, usable, paint } = await weight(one.page, "/");
  console.log(`       first page: ${(bytes / 1000).toFixed(1)} kB compressed, first paint after ${Math.round(paint ?? 0)} ms, usable after ${usable} ms`);
  if (!world.given.base) holds(`${bytes} bytes on the wire are more than 150 kB`, bytes > 0 && bytes < 150_000);
});

journey("every page: the way back keeps the place, dialogs keep the focus, the theme follows", {}, async (world) => {
  const one = await administrator(world, { width: "narrow" });
  const { page } = one;
  const top = () => page.evaluate(() => window.scrollY);
  const at = (what) => page.waitForFunction(what); // fails by its time limit
  await open(page, places[0]);
  await page.evaluate(() => window.scrollTo(0, 900));
  await page.waitForTimeout(400);
  await page.evaluate(() => [...document.querySelectorAll(".row-link")].find((link) => link.getBoundingClientRect().top > 150).click());
  await page.waitForURL(/\/domains\//);
  await settled(page);
  same("a new page begins at its top", await top(), 0);
  same("and its heading has the focus", await page.evaluate(() => document.activeElement.tagName), "H1");
  await page.goBack();
  await at(() => Math.abs(window.scrollY - 900) < 2);
  await page.reload();
  await at(() => Math.abs(window.scrollY - 900) < 2);

  await page.goto("/system?tab=access");
  await settled(page);
  await page.getByRole("button", { name: "Make a token" }).click();
  await at(() => document.activeElement.matches("dialog[open] .dialog-body input"));
  await page.keyboard.press("Escape");
  await at(() => document.activeElement.textContent.includes("Make a token"));

  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  same("the theme of the system", await theme(), "light");
  await page.emulateMedia({ colorScheme: "dark" });
  await at(() => document.documentElement.dataset.theme === "dark");
  const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--surface").trim());
  holds("dark surfaces on the screen", (await paper()) !== "#ffffff");
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  same("the surface on paper", await paper(), "#ffffff");
  await page.emulateMedia({ media: "screen", colorScheme: "dark" });
  await page.getByRole("button", { name: /theme and sign out/ }).click();
  await page.getByRole("button", { name: "Light" }).click();
  await page.reload();
  same("the theme that was chosen", await theme(), "light");
});
