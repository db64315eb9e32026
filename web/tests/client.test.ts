// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { address, api, ApiError, hooks, segment } from "../src/api/client";
import { problemFrom } from "../src/api/problem";

const answer = (status: number, body: string, type = "application/json"): Response =>
  new Response(status === 204 ? null : body, { status, headers: { "Content-Type": type } });
const asked = vi.fn<typeof fetch>();
const away = vi.fn<(is: boolean) => void>();
const signedOut = vi.fn<() => void>();

beforeEach(() => {
  vi.stubGlobal("fetch", asked);
  hooks.csrf = () => "c5rf";
  hooks.onAway = away;
  hooks.onSignedOut = signedOut;
});
afterEach(() => {
  vi.resetAllMocks();
  vi.unstubAllGlobals();
});
const headers = (): Record<string, string> => asked.mock.calls[0]![1]!.headers as Record<string, string>;

describe("address", () => {
  it("leaves out what is empty", () => {
    expect(address("/overview", { contains: "", label: null, state: undefined, offset: 0, look: false })).toBe("/api/v1/overview?offset=0");
    expect(address("/x", { look: true, q: "a b&c" })).toBe("/api/v1/x?look=1&q=a+b%26c");
    expect(address("/x")).toBe("/api/v1/x");
  });
  it("escapes names in a path", () => expect(segment("a/b?c")).toBe("a%2Fb%3Fc"));
});

describe("what is sent", () => {
  it("GET carries no CSRF token and no body", async () => {
    asked.mockResolvedValue(answer(200, "{}"));
    await api.get("/session");
    expect(headers()["X-CSRF-Token"]).toBeUndefined();
    expect(asked.mock.calls[0]![1]).toMatchObject({ method: "GET", credentials: "same-origin", redirect: "error" });
  });
  it.each(["post", "put", "patch"] as const)("%s carries the token and JSON", async (method) => {
    asked.mockResolvedValue(answer(200, "{}"));
    await api[method]("/domains", { domain: "example.com" });
    expect(headers()).toMatchObject({ "X-CSRF-Token": "c5rf", "Content-Type": "application/json" });
    expect(asked.mock.calls[0]![1]!.body).toBe('{"domain":"example.com"}');
  });
  it("bytes go as they are", async () => {
    asked.mockResolvedValue(answer(200, "{}"));
    const file = new Blob(["x"]);
    await api.post("/reports/read", file);
    expect(asked.mock.calls[0]![1]!.body).toBe(file);
    expect(headers()["Content-Type"]).toBe("application/octet-stream");
  });
});

describe("what comes back", () => {
  it("JSON", async () => {
    asked.mockResolvedValue(answer(200, '{"total":3}'));
    await expect(api.get("/overview")).resolves.toEqual({ total: 3 });
    expect(away).toHaveBeenCalledWith(false);
  });
  it("nothing, with 204", async () => {
    asked.mockResolvedValue(answer(204, ""));
    await expect(api.delete("/session")).resolves.toBeUndefined();
  });
  it("a problem document becomes an ApiError", async () => {
    asked.mockResolvedValue(answer(409, '{"title":"Conflict","status":409,"detail":"Revision 8 is newer."}', "application/problem+json"));
    const error: unknown = await api.patch("/domains/a.example", {}).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 409, message: "Revision 8 is newer.", away: false });
    expect(signedOut).not.toHaveBeenCalled();
  });
  it("a proxy's page becomes one too", async () => {
    asked.mockResolvedValue(answer(502, "<html>Bad gateway</html>", "text/html"));
    await expect(api.get("/x")).rejects.toMatchObject({ status: 502, away: true });
    expect(away).toHaveBeenCalledWith(true);
  });
  it("401 says that nobody is signed in, except to the login", async () => {
    asked.mockImplementation(async () => answer(401, "{}"));
    await expect(api.get("/overview")).rejects.toMatchObject({ status: 401 });
    expect(signedOut).toHaveBeenCalledOnce();
    await expect(api.quiet("POST", "/session", { token: "x" })).rejects.toMatchObject({ status: 401 });
    expect(signedOut).toHaveBeenCalledOnce();
  });
  it("no answer is status 0, and says that the server is away", async () => {
    asked.mockRejectedValue(new TypeError("Failed to fetch"));
    await expect(api.get("/x")).rejects.toMatchObject({ status: 0, away: true });
    expect(away).toHaveBeenCalledWith(true);
  });
  it("an abort stays an abort", async () => {
    asked.mockRejectedValue(new DOMException("", "AbortError"));
    await expect(api.get("/x")).rejects.toMatchObject({ name: "AbortError" });
    expect(away).not.toHaveBeenCalled();
  });
  it("200 with something else than JSON is no answer of ours", async () => {
    asked.mockResolvedValue(answer(200, "<html>Welcome to the hotel</html>"));
    await expect(api.get("/x")).rejects.toMatchObject({ problem: { title: "Unreadable answer" } });
  });
});

describe("problemFrom", () => {
  it("has the record that shows whose a domain is, where it is whole", () => {
    const record = { name: "_mailtight.example.com", type: "TXT", value: "mailtight-owner=abc" };
    expect(problemFrom(403, { title: "Forbidden", status: 403, detail: "", record }).record).toEqual(record);
    for (const bad of [{ ...record, value: 3 }, "x", null, []]) expect(problemFrom(403, { record: bad }).record).toBeUndefined();
  });
  it.each<[string, unknown]>([
    ["null", null],
    ["a text", "gone"],
    ["fields of other kinds", { title: 7, detail: ["x"] }],
    ["empty fields", { title: "", detail: "" }],
  ])("%s still gives a title and a sentence", (_what, body) => {
    const problem = problemFrom(404, body);
    expect(problem.status).toBe(404);
    expect(problem.title).toBe("Error 404");
    expect(problem.detail).toBe("There is nothing here.");
  });
});
