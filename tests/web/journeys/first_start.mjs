// SPDX-License-Identifier: Apache-2.0
// The first start on a machine where nothing is set up: a link that logs in, and pages that say what is normal.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync, readFileSync, openSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { axe, settled } from "../lib/browser.mjs";
import { byLink } from "../lib/enter.mjs";
import { holds, journey, none, same } from "../lib/journey.mjs";

const freePort = () =>
  new Promise((done) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });

async function daemon(binary) {
  const folder = mkdtempSync(join(tmpdir(), "first-start-"));
  const port = await freePort();
  const config = join(folder, "mailtight.toml");
  writeFileSync(config, `[dns]\nservers = ["127.0.0.1:9"]\n[store]\nwhere = "${folder}/store.db"\n[serve]\ncontrol-socket = "${folder}/control.sock"\n[web]\nlisten = ["127.0.0.1:${port}"]\n`);
  const log = join(folder, "serve.log");
  const out = openSync(log, "a");
  const process = spawn(binary, ["serve", "--config", config], { stdio: ["ignore", out, out] });
  const origin = `http://127.0.0.1:${port}`;
  const end = Date.now() + 20_000;
  for (;;) {
    if ((await fetch(origin).catch(() => null))?.ok) break;
    if (Date.now() > end || process.exitCode !== null) throw new Error(`serve does not answer: ${readFileSync(log, "utf8").slice(-1500)}`);
    await new Promise((later) => setTimeout(later, 100));
  }
  return {
    origin,
    said: () => readFileSync(log, "utf8"),
    command: (...words) => spawnSync(binary, [...words, "--config", config], { encoding: "utf8" }),
    async stop() {
      process.kill("SIGTERM");
      await new Promise((done) => process.on("exit", done));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

journey("first start: the link that is printed logs in, and empty pages say what is normal", { needs: "host" }, async (world) => {
  const made = await daemon(world.binary);
  try {
    const said = made.command("login-link");
    const link = said.stdout.split(/\s+/).find((word) => word.startsWith("http"));
    holds(`login-link says a link: ${said.stdout}${said.stderr}`, link);
    const one = await world.visit({ origin: made.origin });
    one.allow(/401/);
    await one.page.goto("/");
    await settled(one.page);
    same("who has not logged in is led to", new URL(one.page.url()).pathname, "/login");
    await byLink(one, link);
    await one.page.getByRole("heading", { level: 1, name: /safely|welcome/i }).waitFor();
    await one.page.getByLabel("Domain").waitFor();
    await one.page.goto("/domains/new");
    await settled(one.page);
    same("what serves the policy where no policy host is configured", await one.page.getByLabel("Who serves the policy file?").inputValue(), "elsewhere");
    await one.page.getByLabel("Who serves the policy file?").selectOption("here");
    await one.page.getByText("This Mailtight serves no policies yet").waitFor();
    const found = [];
    for (const [path, words] of [["/", /domain/i], ["/reports", /no reports yet/i], ["/sending", /not looked after|switched off|no destination/i], ["/system", /./]]) {
      await one.page.goto(path);
      await settled(one.page);
      holds(`${path} says what is normal`, words.test(await one.page.getByRole("main").innerText()));
      found.push(...(await axe(one.page)).map((each) => `${path}: ${each}`));
    }
    none("what axe finds on empty pages", found);
  } finally {
    await made.stop();
  }
});
