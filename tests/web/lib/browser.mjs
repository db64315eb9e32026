// SPDX-License-Identifier: Apache-2.0
// A browser that forgives nothing: a request to another origin, a violation of the policy for content, an error on the
// console or in a script, each fails the journey in which it happened.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export const widths = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } };

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** A browser of its own for one person: cookies, theme, size. `problems` grows with what must not happen. */
export async function visitor(browser, origin, { theme = "light", width = "wide", ...more } = {}) {
  const context = await browser.newContext({
    baseURL: origin,
    colorScheme: theme,
    viewport: widths[width],
    reducedMotion: "reduce",
    locale: "en-GB",
    timezoneId: "UTC",
    ...more,
  });
  context.setDefaultTimeout(Number(process.env.STEP_SECONDS ?? 20) * 1000);
  const problems = [];
  const allowed = []; // refusals that a journey provokes on purpose
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
  });
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (!["data:", "blob:", "about:"].includes(url.protocol) && url.origin !== origin) problems.push(`a request left the origin: ${request.method()} ${request.url()}`);
  });
  context.on("response", (response) => {
    if (response.status() >= 500) problems.push(`${response.status()} for ${response.request().method()} ${response.url()}`);
  });
  context.on("weberror", (error) => problems.push(`a script failed: ${error.error().message}`));
  context.on("console", (message) => {
    if (message.type() !== "error") return;
    const said = `${message.text()} ${message.location().url ?? ""}`;
    if (!allowed.some((each) => each.test(said))) problems.push(`console: ${said}`);
  });
  const page = await context.newPage();
  return { context, page, problems, allow: (...patterns) => allowed.push(...patterns), close: () => context.close() };
}

/** What axe finds on the page as it is, a line for each element. */
export async function axe(page) {
  // By the debugger's way in, since the page's own policy refuses scripts that are not its own.
  await page.evaluate(axeSource);
  const found = await page.evaluate((only) => window.axe.run(document, { runOnly: only, resultTypes: ["violations"] }), tags);
  return found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id} (${rule.impact}): ${node.target.join(" ")}: ${node.failureSummary.replaceAll("\n", " ").slice(0, 220)}`));
}

/** Nothing is loading and nothing moves any more. */
export async function settled(page) {
  await page.waitForLoadState("load");
  await page.waitForFunction(() => document.querySelector("h1") && !document.querySelector("[aria-busy='true'], .bone"), undefined, { timeout: 20000 });
  await page.waitForTimeout(150);
}

/** No page scrolls sideways. */
export async function sideways(page) {
  return page.evaluate(() => {
    const wide = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= wide) return [];
    const over = [...document.querySelectorAll("body *")].filter((each) => {
      const box = each.getBoundingClientRect();
      return box.right > wide + 1 && box.width > 0 && getComputedStyle(each).position !== "fixed";
    });
    return over.slice(0, 3).map((each) => `wider than the window: <${each.tagName.toLowerCase()} class="${each.className}">`);
  });
}

/** Bytes on the wire and milliseconds until the page can be used, of a first visit. */
export async function weight(page, path) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  let bytes = 0;
  const api = new Set();
  session.on("Network.requestWillBeSent", (event) => event.request.url.includes("/api/") && api.add(event.requestId));
  session.on("Network.loadingFinished", (event) => (bytes += api.has(event.requestId) ? 0 : event.encodedDataLength));
  const began = Date.now();
  await page.goto(path);
  await page.getByRole("heading", { level: 1 }).waitFor();
  const usable = Date.now() - began;
  await settled(page);
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null);
  await session.detach();
  return { bytes, usable, paint };
}
