// SPDX-License-Identifier: Apache-2.0
// Every step of the plan, in its order: done, now, later.
import type { Plan, Step } from "../../api/types";
import { Icon, type IconName } from "../../ui/icon";
import { Notice } from "../../ui/page";
import { plural } from "../../text/format";
import { Ago } from "../../ui/time";
import { StepBody } from "./step_body";

const stateWords: Record<Step["state"], string> = { done: "Done", now: "Now", waiting: "Waiting", later: "Later" };
const signs: Record<Step["state"], IconName> = { done: "check", now: "right", waiting: "clock", later: "more" };

/** The steps done before the first that is not, and the others. */
export function behind(steps: Step[]): [Step[], Step[]] {
  const first = steps.findIndex((one) => one.state !== "done");
  const cut = first < 0 ? steps.length : first;
  return cut > 2 ? [steps.slice(0, cut), steps.slice(cut)] : [[], steps];
}

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
        <details class="fold">
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

const Lines = ({ steps, plan }: { steps: Step[]; plan: Plan }) => (
  <ol class="steps">
    {steps.map((step) => (
      <Line step={step} current={step.number === plan.next} key={step.number} />
    ))}
  </ol>
);

/** What is behind is folded away: the eye falls on what is to be done. */
export function PlanTab({ plan }: { plan: Plan }) {
  const [done, open] = behind(plan.steps);
  return (
    <div class="stack">
      {plan.warnings.length > 0 && (
        <Notice tone="attention" title={plan.warnings.length > 1 ? "To bear in mind" : ""}>
          {plan.warnings.length > 1 ? (
            <ul class="listed">
              {plan.warnings.map((one) => (
                <li key={one}>{one}</li>
              ))}
            </ul>
          ) : (
            plan.warnings[0]
          )}
        </Notice>
      )}
      <section class="card">
        <header>
          <div>
            <h2>{plan.finished ? "The plan" : `The plan to ${plan.to}`}</h2>
            <p class="small soft">Now: {plan.from}</p>
          </div>
        </header>
        <div class="flush">
          {done.length > 0 && (
            <details class="steps-done fold">
              <summary>
                <span class="step-sign step-done">
                  <Icon name="check" size={14} />
                </span>
                <span class="grow">{open.length ? `${plural(done.length, "step")} done` : `All ${plural(done.length, "step")} done`}</span>
                <Icon name="chevron" size={14} />
              </summary>
              <Lines steps={done} plan={plan} />
            </details>
          )}
          <Lines steps={open} plan={plan} />
        </div>
      </section>
    </div>
  );
}
