// SPDX-License-Identifier: Apache-2.0
// Answers /api/v1 while the pages are built, in place of the daemon. GET /a/b/c is the file fixtures/a.b.c.json; a "_"
// in its name stands for any one segment, and every "{1}", "{2}"… in its text for what stood there. What changes
// something is fixtures/POST.a.b.json, else 204. A cookie or the variable FIXTURE names a scene: its folder comes
// first (fixtures/empty, fixtures/viewer…); "signed-out" answers 401, "away" 503.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { overview, overviewCsv } from "./overview.ts";

const root = fileURLToPath(new URL("../fixtures", import.meta.url));

function sceneOf(request: IncomingMessage): string {
  return /(?:^|;\s*)fixture=([a-z-]+)/.exec(request.headers.cookie ?? "")?.[1] ?? process.env.FIXTURE ?? "";
}

/** The file for these segments in this folder, and what its "_" stood for. The fewest "_" wins. */
function find(folder: string, prefix: string, segments: string[]): { file: string; found: string[] } | null {
  if (!existsSync(folder)) return null;
  let best: { file: string; found: string[] } | null = null;
  for (const file of readdirSync(folder)) {
    if (!file.endsWith(".json") || !file.startsWith(prefix)) continue;
    // Names of domains have dots: the segments of a file's name are told apart by "~".
    const want = file.slice(prefix.length, -5).split("~");
    if (want.length !== segments.length) continue;
    const found: string[] = [];
    const fits = want.every((piece, i) => {
      if (piece === "_") found.push(segments[i]!);
      return piece === "_" || piece === segments[i];
    });
    if (fits && (!best || found.length < best.found.length)) best = { file: join(folder, file), found };
  }
  return best;
}

function answer(scene: string, prefix: string, segments: string[]): string | null {
  for (const folder of scene ? [join(root, scene), root] : [root]) {
    const hit = find(folder, prefix, segments);
    if (hit) return readFileSync(hit.file, "utf8").replace(/\{(\d)\}/g, (all, n: string) => hit.found[Number(n) - 1] ?? all);
  }
  return null;
}

function say(response: ServerResponse, status: number, type: string, body: string): void {
  response.statusCode = status;
  response.setHeader("Content-Type", type);
  response.end(body);
}
const problem = (response: ServerResponse, status: number, title: string, detail: string): void =>
  say(response, status, "application/problem+json", JSON.stringify({ title, status, detail }));

const later = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** The stages of a look, one after the other, then its document. */
async function look(response: ServerResponse, check: string, domain: string): Promise<void> {
  response.setHeader("Content-Type", "text/event-stream");
  const seen = JSON.parse(check) as { mx?: { host: string }[] };
  const stages: [string, string, string, number][] = [
    ["dns", domain, "Records of the domain: 2 mail servers, one MTA-STS record, one TLS reporting record", 310],
    ["policy", `https://mta-sts.${domain}/.well-known/mta-sts.txt`, "The policy file was fetched over TLS 1.3", 420],
    ...(seen.mx ?? []).map((one): [string, string, string, number] => ["mail-server", one.host, "STARTTLS is offered, the certificate is valid for this name", 640]),
    ["tlsrpt", `_smtp._tls.${domain}`, "One address takes reports", 120],
    ["judge", domain, "Every part was compared with every other", 15],
  ];
  const event = (name: string, data: unknown) => response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  for (const [stage, subject, words, ms] of stages) {
    event("stage", { stage, state: "begun", subject, words: "", elapsed_ms: 0 });
    await later(process.env.FAST ? 5 : ms);
    event("stage", { stage, state: "done", subject, words, elapsed_ms: ms });
  }
  event("check", JSON.parse(check));
  response.end();
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://localhost");
  const segments = url.pathname.split("/").filter(Boolean).slice(2).map(decodeURIComponent);
  const path = segments.join("/");
  const method = request.method ?? "GET";
  const scene = sceneOf(request);
  for await (const _ of request) void _; // what was sent is not needed
  if (scene === "away") return problem(response, 503, "Starting", "The server is starting.");
  if (scene === "signed-out" && !(method === "POST" && path === "session"))
    return problem(response, 401, "Not signed in", "There is no session.");
  if (scene === "signed-out") return problem(response, 401, "Not right", "The name or the password is not right.");
  if (method === "GET" && path === "overview") {
    const rows = answer(scene, "", ["overview"]) ?? "[]";
    return say(response, 200, "application/json", JSON.stringify(overview(rows, url.searchParams, scene === "many" ? 5000 : 0)));
  }
  if (method === "GET" && path === "overview.csv") return say(response, 200, "text/csv", overviewCsv(answer(scene, "", ["overview"]) ?? "[]"));
  const body = method === "GET" ? answer(scene, "", segments) : answer(scene, `${method}.`, segments);
  if (method === "GET" && segments[0] === "look" && body && (request.headers.accept ?? "").includes("event-stream"))
    return look(response, body, segments[1] ?? "");
  if (body !== null) return say(response, 200, "application/json", body);
  if (method !== "GET") {
    response.statusCode = 204;
    response.end();
    return;
  }
  problem(response, 404, "Not found", "No fixture stands for this: see dev/fixtures.ts.");
}

export function fixtures(): Plugin {
  const use = (middlewares: { use: (path: string, handler: (request: IncomingMessage, response: ServerResponse) => void) => unknown }): void => {
    middlewares.use("/api/v1", (request, response) => {
      // The path that was asked for: connect takes the prefix away.
      request.url = "/api/v1" + (request.url ?? "");
      serve(request, response).catch((error: unknown) => problem(response, 500, "Fixture", String(error)));
    });
  };
  return {
    name: "fixtures",
    configureServer: (server) => use(server.middlewares),
    configurePreviewServer: (server) => use(server.middlewares),
  };
}
