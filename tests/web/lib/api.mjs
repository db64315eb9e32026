// SPDX-License-Identifier: Apache-2.0
// The API as a page asks it: with the session of who is logged in there.

/** Status and document. */
export function ask(page, method, path, body) {
  return page.evaluate(
    async ({ method, path, body }) => {
      const headers = { Accept: "application/json" };
      if (method !== "GET") {
        const session = await (await fetch("/api/v1/session")).json();
        headers["X-CSRF-Token"] = session.csrf;
        headers["Content-Type"] = "application/json";
      }
      const reply = await fetch("/api/v1" + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
      const text = await reply.text();
      let document = null;
      try {
        document = text ? JSON.parse(text) : null;
      } catch {
        document = text;
      }
      return { status: reply.status, document };
    },
    { method, path, body },
  );
}

/** What must be there: the document, or what is in the way. */
export async function get(page, path) {
  const { status, document } = await ask(page, "GET", path);
  if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(document)}`);
  return document;
}

/** Asks again until `fits(document)`. */
export async function until(page, path, fits, seconds = 40) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const document = await get(page, path);
    if (fits(document)) return document;
    if (Date.now() > end) throw new Error(`${path} does not come to what is waited for: ${JSON.stringify(document).slice(0, 900)}`);
    await page.waitForTimeout(400);
  }
}
