// SPDX-License-Identifier: Apache-2.0
// Server-sent events read from a fetch, so that they go the way of every other question (session, problems, abort).
import { ApiError, noAnswer } from "./problem";
import { isAbort, send, type Query } from "./client";

export interface ServerEvent {
  event: string;
  data: string;
}

/** Cuts the text of a stream into events; what is not whole yet stays for the next piece. */
export class EventReader {
  private rest = "";
  private event = "";
  private data: string[] = [];

  push(piece: string): ServerEvent[] {
    const found: ServerEvent[] = [];
    this.rest += piece;
    for (;;) {
      const cut = /\r\n|\n|\r(?=.|\n)/s.exec(this.rest);
      if (!cut) break;
      const line = this.rest.slice(0, cut.index);
      this.rest = this.rest.slice(cut.index + cut[0].length);
      const whole = this.line(line);
      if (whole) found.push(whole);
    }
    return found;
  }

  private line(line: string): ServerEvent | null {
    if (line === "") {
      const whole = this.data.length ? { event: this.event || "message", data: this.data.join("\n") } : null;
      this.event = "";
      this.data = [];
      return whole;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return null; // a comment that keeps the connection open
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.event = value;
    else if (field === "data") this.data.push(value);
    return null;
  }
}

/** Reads a stream to its end; `seen` gets every event. Throws as `send` does, and where the stream breaks off. */
export async function stream(path: string, query: Query, seen: (event: ServerEvent) => void, signal: AbortSignal): Promise<void> {
  const response = await send("GET", path, "text/event-stream", { query, signal });
  if (!response.body) throw new ApiError(noAnswer);
  const reader = response.body.getReader();
  const text = new TextDecoder();
  const events = new EventReader();
  for (;;) {
    let piece: ReadableStreamReadResult<Uint8Array>;
    try {
      piece = await reader.read();
    } catch (caught) {
      if (isAbort(caught)) throw caught;
      throw new ApiError(noAnswer);
    }
    if (piece.done) return;
    for (const one of events.push(text.decode(piece.value, { stream: true }))) seen(one);
  }
}
