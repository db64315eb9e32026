// SPDX-License-Identifier: Apache-2.0
// Every step of the plan, in its order: done, now, later.
import type { Plan, Step } from "../../api/types";
import { Icon, type IconName } from "../../ui/icon";
import { Notice } from "../../ui/page";
import { Ago } from "../../ui/time";
import { StepBody } from "./step_body";

const stateWords: Record<Step["state"], string> = { done: "Done", now: "Now", waiting: "Waiting", later: "Later" };
const signs: Record<Step["state"], IconName> = { done: "check", now: "right", waiting: "clock", later: "more" };

function Line({ step, current }: { step: Step; current: boolean }) {
  const more = step.why || step.how || step.records.length || step.policy || step.blocked;
  const head = (
    <>
      <span class={`step-sign step-${step.state}`}>
        <Icon name={signs[step.state]} size={14} label={stateWords[step.state]} />
      </span>
      <span class="grow">
        <span class="step-title break">{step.title}</span>
        {step.not_before && step.state !== "done" && (
          <span class="small dim step-when">
            <Ago at={step.not_before} />
          </span>
        )}
      </span>
      <span class="small dim nowrap">{step.state === "done" ? "" : step.by === "person" || step.on_word ? "You" : "Mailtight"}</span>
    </>
  );
  return (
    <li class={current ? "step current" : "step"}>
      {more ? (
        <details>
          <summary>
            {head}
            <Icon name="chevron" size={14} />
          </summary>
          <StepBody step={step} />
        </details>
      ) : (
        <div class="step-plain">{head}</div>
      )}
    </li>
  );
}

export function PlanTab({ plan }: { plan: Plan }) {
  return (
    <div class="stack">
      {plan.warnings.map((one) => (
        <Notice tone="attention" key={one}>
          {one}
        </Notice>
      ))}
      <section class="card">
        <header>
          <h2>
            From {plan.from} to {plan.to}
          </h2>
          <span class="small dim">
            {plan.steps.filter((one) => one.state === "done").length} of {plan.steps.length} done
          </span>
        </header>
        <ol class="steps flush">
          {plan.steps.map((step) => (
            <Line step={step} current={step.number === plan.next} key={step.number} />
          ))}
        </ol>
      </section>
    </div>
  );
}
