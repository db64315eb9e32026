// SPDX-License-Identifier: Apache-2.0
// The one thing that is to be done now, as large as it deserves, with the buttons that do it.
import type { Plan, Step, Wish } from "../../api/types";
import { changedQuery, here } from "../../router";
import { can } from "../../state/session";
import { Button, LinkButton } from "../../ui/button";
import { Icon, type IconName } from "../../ui/icon";
import { Notice } from "../../ui/page";
import { ReportTest } from "../../look/report_test";
import { actsOf } from "./journey";
import type { Doing } from "./doing";
import { StepBody } from "./step_body";

function whose(step: Step): { words: string; icon: IconName } {
  if (step.state === "waiting") return { words: "Waiting", icon: "clock" };
  if (step.on_word) return { words: "Your decision", icon: "person" };
  return step.by === "person" ? { words: "Your turn", icon: "person" } : { words: "Mailtight does this", icon: "bolt" };
}

export function StepActions({ step, doing, small }: { step: Step; doing: Doing; small?: boolean }) {
  const acts = actsOf(step);
  if (!can("operator")) return null;
  const size = small ? ({ size: "small" } as const) : {};
  return (
    <div class="row">
      {acts.act && (
        <Button kind="primary" icon="play" busy={doing.busy === "act"} onClick={() => doing.act()} {...size}>
          {step.on_word ? "Do it" : "Do it now"}
        </Button>
      )}
      {acts.said === "report-way" && (
        <Button kind="primary" icon="check" busy={doing.busy === "said"} onClick={() => doing.said("report-way")} {...size}>
          The place exists
        </Button>
      )}
      {acts.look && (
        <Button kind={acts.act || step.state !== "now" ? "plain" : "primary"} icon="refresh" busy={doing.busy === "look"} onClick={() => doing.look()} {...size}>
          {step.by === "person" ? "It is done: look now" : "Look again"}
        </Button>
      )}
      {acts.said === "checked-mx" && (
        <Button icon="check" busy={doing.busy === "said"} onClick={() => doing.said("checked-mx")} {...size}>
          I have checked the servers myself
        </Button>
      )}
      {step.kind === "mend" && (
        <LinkButton href={here.value.path + changedQuery(here.value.search, { tab: "settings" })} icon="settings" {...size}>
          Settings of the domain
        </LinkButton>
      )}
      {acts.force && (
        <Button kind="quiet" onClick={() => doing.askForce()} {...size}>
          Enforce without waiting…
        </Button>
      )}
    </div>
  );
}

/** `broken`: the last look found errors, which no step of a plan mends. */
export function NextStep({ plan, wish, doing, broken = false }: { plan: Plan; wish: Wish; doing: Doing; broken?: boolean }) {
  const step = plan.steps.find((one) => one.number === plan.next);
  if (broken && (plan.finished || !step))
    return (
      <section class="card next-step next-done trouble" aria-label="Next step">
        <span class="next-sign tone-bad">
          <Icon name="bad" size={22} />
        </span>
        <div class="grow">
          <h2>The plan is done, and something is broken</h2>
          <p class="soft">The findings say what, what follows from it, and how to fix it.</p>
        </div>
        <LinkButton kind="primary" href={here.value.path + changedQuery(here.value.search, { tab: "findings" })} icon="right">
          See the findings
        </LinkButton>
      </section>
    );
  if (plan.finished || !step)
    return (
      <section class="card next-step next-done" aria-label="Next step">
        <span class="next-sign tone-good">
          <Icon name="shield" size={22} />
        </span>
        <div class="grow">
          <h2>{wish.aim === "off" ? "MTA-STS is off for this domain" : wish.aim === "testing" ? "The policy is in testing, as you want it" : "The policy is enforced: the goal is reached"}</h2>
          <p class="soft">
            {wish.aim === "testing"
              ? "Senders check and report, and deliver all the same. Only enforce protects mail: Mailtight goes there once reports show that nothing would be held back."
              : "There is nothing to do. Mailtight keeps watching, and tells you when something changes."}
          </p>
        </div>
        {wish.aim === "testing" && can("operator") && (
          <Button kind="primary" icon="lock" busy={doing.busy === "goal"} onClick={() => doing.goal("enforce")}>
            Go on to enforce
          </Button>
        )}
      </section>
    );
  const turn = whose(step);
  return (
    <section class={step.kind === "mend" ? "card next-step trouble" : "card next-step"} aria-label="Next step">
      <div class="next-head">
        <span class="next-turn">
          <Icon name={turn.icon} size={14} />
          {turn.words}
        </span>
        <span class="small dim">
          Step {step.number} of {plan.steps.length}
        </span>
      </div>
      <h2 class="next-title break">{step.title}</h2>
      <StepBody step={step} />
      {step.kind === "report-way" && can("operator") && <ReportTest domain={wish.domain} />}
      {can("operator") ? <StepActions step={step} doing={doing} /> : step.by === "person" && <Notice icon="lock">An operator can do this step. You are signed in as a viewer.</Notice>}
    </section>
  );
}
