// SPDX-License-Identifier: Apache-2.0
// The demo's world as a program drives it: events and orders as JSON lines (tests/lab/demo/run.py).
import { spawn } from "node:child_process";
import { mkdirSync, createWriteStream } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const top = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
export const build = join(top, "build", "web");

export class Demo {
  constructor(words = []) {
    mkdirSync(build, { recursive: true });
    this.said = [];
    this.waiting = [];
    this.tail = Promise.resolve();
    this.log = createWriteStream(join(build, "demo.log"));
    this.process = spawn(join(top, "tests", "lab", "demo", "run.py"), ["--json", ...words], { stdio: ["pipe", "pipe", "pipe"], detached: true });
    this.process.stderr.pipe(this.log);
    this.ended = new Promise((done) => this.process.on("exit", (status) => done(status)));
    this.ready = new Promise((done, fail) => {
      createInterface({ input: this.process.stdout }).on("line", (line) => {
        this.log.write(line + "\n");
        const event = JSON.parse(line);
        this.said.push(event);
        if (event.event === "ready") done(event);
        else if (event.event === "failed" && event.of.do === "begin") fail(new Error(event.text));
        else if (event.event === "done" || event.event === "failed") this.waiting.shift()?.(event);
      });
      void this.ended.then((status) => {
        fail(new Error(`the demo ended with ${status}; see build/web/demo.log`));
        for (const each of this.waiting) each({ event: "failed", text: "the demo ended" });
      });
    });
  }
  /** Orders are carried out one after the other. */
  order(what) {
    const answer = this.tail.then(
      () =>
        new Promise((done, fail) => {
          this.waiting.push((event) => (event.event === "done" ? done(event) : fail(new Error(`${JSON.stringify(what)}: ${event.text}`))));
          this.process.stdin.write(JSON.stringify(what) + "\n");
        }),
    );
    this.tail = answer.catch(() => {});
    return answer;
  }
  day() {
    return this.order({ do: "day" });
  }
  /** A command of mailtight's, with the daemon's configuration: what it prints. */
  async command(...words) {
    const done = await this.order({ do: "command", words });
    if (done.status > 1) throw new Error(`mailtight ${words.join(" ")}: status ${done.status}: ${(done.stderr || done.stdout).slice(-600)}`);
    return done.stdout;
  }
  async loginLink() {
    const said = await this.command("login-link");
    const link = said.split(/\s+/).find((word) => word.startsWith("http"));
    if (!link) throw new Error(`login-link says no link: ${said}`);
    return link;
  }
  async stop() {
    this.process.stdin.end(); // run.py ends the world with its input
    await this.ended;
    this.log.end();
  }
}
