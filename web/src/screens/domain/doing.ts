// SPDX-License-Identifier: Apache-2.0
// What a person can do with the plan, and what comes back of it.
import { useState } from "preact/hooks";
import { api, ApiError, asApiError, segment } from "../../api/client";
import type { DomainView, Plan, StepDone, Wish } from "../../api/types";
import type { Resource } from "../../state/resource";
import { announce, toast } from "../../ui/live";

export type Busy = "" | "act" | "said" | "look" | "force" | "goal";
export interface Doing {
  busy: Busy;
  act: () => void;
  said: (what: "report-way" | "checked-mx") => void;
  look: () => void;
  goal: (aim: Wish["aim"]) => void;
  askForce: () => void;
  closeForce: () => void;
  forcing: boolean;
  force: (reason: string) => Promise<boolean>;
}

export function useDoing(domain: string, view: Resource<DomainView>, plan: Resource<Plan>, changed: () => void): Doing {
  const [busy, setBusy] = useState<Busy>("");
  const [forcing, setForcing] = useState(false);

  const run = async (what: Busy, ask: () => Promise<void>): Promise<boolean> => {
    setBusy(what);
    try {
      await ask();
      return true;
    } catch (caught) {
      toast(asApiError(caught).message, "bad");
      return false;
    } finally {
      setBusy("");
    }
  };
  const step = (what: Busy, body: unknown): Promise<boolean> =>
    run(what, async () => {
      const done = await api.post<StepDone>(`/domains/${segment(domain)}/steps`, body);
      plan.set(done.plan);
      changed();
      if (done.failed) throw new ApiError({ title: "The step failed", status: 422, detail: done.failed });
      if (done.did) toast(done.did);
      else announce("The plan is up to date.");
    });

  return {
    busy,
    act: () => void step("act", { do: true }),
    said: (what) => void step("said", { said: what }),
    look: () =>
      void run("look", async () => {
        const before = plan.data?.next;
        const now = await api.get<Plan>(`/domains/${segment(domain)}/plan`, { look: true });
        plan.set(now);
        toast(now.next === before ? "Looked: it is not seen yet. DNS can take some minutes." : "Looked: the plan went on.", now.next === before ? "bad" : "good");
        changed();
      }),
    goal: (aim) =>
      void run("goal", async () => {
        view.set(await api.patch<DomainView>(`/domains/${segment(domain)}`, { aim, revision: view.data?.wish.revision ?? 0 }));
        plan.reload();
        toast(`The plan leads to ${aim} now.`);
      }),
    askForce: () => setForcing(true),
    closeForce: () => setForcing(false),
    forcing,
    force: (reason) => step("force", { force: reason }),
  };
}
