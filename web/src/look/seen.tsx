// SPDX-License-Identifier: Apache-2.0
// What a look saw: its findings, and each mail server.
import type { Check } from "../api/types";
import { Findings } from "./findings";
import { Servers } from "./servers";

export function Seen({ check }: { check: Check }) {
  return (
    <>
      <section class="card">
        <header>
          <h2>Findings</h2>
        </header>
        <div class={check.findings.length ? "flush" : ""}>
          <Findings findings={check.findings} />
        </div>
      </section>
      <section class="card">
        <header>
          <h2>Mail servers</h2>
        </header>
        <div class={check.mx.length ? "flush" : ""}>
          <Servers check={check} />
        </div>
      </section>
    </>
  );
}
