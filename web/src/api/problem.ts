// SPDX-License-Identifier: Apache-2.0
// What went wrong with a question to the API: a problem that the server told (RFC 9457), or no answer at all.
import type { Problem, ProofRecord } from "./types";

export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title);
  }
  /** 0: there was no answer. */
  get status(): number {
    return this.problem.status;
  }
  /** The server is not there, is starting, or the network is gone: worth asking again. */
  get away(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

export const noAnswer: Problem = {
  title: "No answer",
  status: 0,
  detail: "Mailtight does not answer. It may be restarting, or the connection is gone.",
};

const words: Record<number, string> = {
  400: "The question was not understood.",
  401: "You are not signed in.",
  403: "Your role does not allow this.",
  404: "There is nothing here.",
  409: "Somebody else changed this in the meantime.",
  413: "This is too large.",
  429: "Too many questions at once. Try again in a moment.",
};

/** Reads a problem document; what is none becomes one. */
export function problemFrom(status: number, body: unknown): Problem {
  const told = typeof body === "object" && body !== null ? (body as Partial<Record<keyof Problem, unknown>>) : {};
  const record = recordFrom(told.record);
  return {
    ...(record ? { record } : {}),
    title: typeof told.title === "string" && told.title ? told.title : `Error ${status}`,
    status,
    detail: typeof told.detail === "string" && told.detail ? told.detail : (words[status] ?? "Mailtight could not answer this."),
  };
}

function recordFrom(told: unknown): ProofRecord | null {
  const { name, type, value } = (typeof told === "object" && told !== null ? told : {}) as Partial<Record<keyof ProofRecord, unknown>>;
  return typeof name === "string" && typeof type === "string" && typeof value === "string" ? { name, type, value } : null;
}

/** Anything caught, as something that can be shown. */
export function asApiError(caught: unknown): ApiError {
  if (caught instanceof ApiError) return caught;
  return new ApiError(noAnswer);
}

/** Whether a question was broken off by us: nothing to show. */
export const isAbort = (caught: unknown): boolean => caught instanceof DOMException && caught.name === "AbortError";
