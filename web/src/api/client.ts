// SPDX-License-Identifier: Apache-2.0
// Questions to the API: fetch with typed answers. Every failure is an ApiError, except an abort, which stays one.
// What changes something carries the session's X-CSRF-Token. A 401 tells `onSignedOut`; whether the server
// answers at all is told to `onAway`.
import { ApiError, asApiError, isAbort, noAnswer, problemFrom } from "./problem";

export type Query = Record<string, string | number | boolean | null | undefined>;
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export interface Ask {
  query?: Query;
  body?: unknown; // JSON; a Blob or ArrayBuffer goes as it is
  signal?: AbortSignal;
}

export const base = "/api/v1";

export const hooks = {
  csrf: (): string => "",
  onSignedOut: (): void => {},
  onAway: (_away: boolean): void => {},
};

/** The address of a route; empty, null and absent parameters are left out. */
export function address(path: string, query?: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined && value !== null && value !== "" && value !== false) search.set(name, value === true ? "1" : String(value));
  const text = search.toString();
  return base + path + (text ? `?${text}` : "");
}

/** A name inside a path. */
export const segment = (name: string): string => encodeURIComponent(name);

function init(method: Method, accept: string, ask: Ask): RequestInit {
  const headers: Record<string, string> = { Accept: accept };
  let body: BodyInit | undefined;
  if (ask.body instanceof Blob || ask.body instanceof ArrayBuffer) {
    body = ask.body;
    headers["Content-Type"] = "application/octet-stream";
  } else if (ask.body !== undefined) {
    body = JSON.stringify(ask.body);
    headers["Content-Type"] = "application/json";
  }
  if (method !== "GET") {
    const token = hooks.csrf();
    if (token) headers["X-CSRF-Token"] = token;
  }
  const made: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store", redirect: "error" };
  if (body !== undefined) made.body = body;
  if (ask.signal) made.signal = ask.signal;
  return made;
}

async function refuse(response: Response): Promise<never> {
  const text = await response.text().catch(() => "");
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // Not JSON: a proxy's page, perhaps. The status says enough.
  }
  throw new ApiError(problemFrom(response.status, body));
}

/** The answer as it came, where its status is good. `quiet`: a 401 is the caller's affair (login). */
export async function send(method: Method, path: string, accept: string, ask: Ask = {}, quiet = false): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address(path, ask.query), init(method, accept, ask));
  } catch (caught) {
    if (isAbort(caught)) throw caught;
    hooks.onAway(true);
    throw new ApiError(noAnswer);
  }
  hooks.onAway(response.status === 502 || response.status === 503 || response.status === 504);
  if (response.ok) return response;
  if (response.status === 401 && !quiet) hooks.onSignedOut();
  return refuse(response);
}

async function json<T>(method: Method, path: string, ask: Ask, quiet = false): Promise<T> {
  const response = await send(method, path, "application/json", ask, quiet);
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  if (!text) return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ApiError({ title: "Unreadable answer", status: response.status, detail: "What came back is not what Mailtight says. Is there a proxy between?" });
  }
}

export const api = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> => json<T>("GET", path, pack(query, undefined, signal)),
  post: <T>(path: string, body?: unknown, query?: Query): Promise<T> => json<T>("POST", path, pack(query, body)),
  put: <T>(path: string, body?: unknown, query?: Query): Promise<T> => json<T>("PUT", path, pack(query, body)),
  patch: <T>(path: string, body?: unknown, query?: Query): Promise<T> => json<T>("PATCH", path, pack(query, body)),
  delete: <T>(path: string, query?: Query): Promise<T> => json<T>("DELETE", path, pack(query)),
  /** For the login page: a 401 is an answer there. */
  quiet: <T>(method: Method, path: string, body?: unknown): Promise<T> => json<T>(method, path, pack(undefined, body), true),
  text: async (path: string, query?: Query, signal?: AbortSignal): Promise<string> =>
    (await send("GET", path, "text/plain, */*", pack(query, undefined, signal))).text(),
};

function pack(query?: Query, body?: unknown, signal?: AbortSignal): Ask {
  const ask: Ask = {};
  if (query) ask.query = query;
  if (body !== undefined) ask.body = body;
  if (signal) ask.signal = signal;
  return ask;
}

export { ApiError, asApiError, isAbort };
