// SPDX-License-Identifier: Apache-2.0
// What a step says: why, until when, what is in the way, what to do, which records and which file.
import type { Step } from "../../api/types";
import { RecordCard } from "../../look/records";
import { now } from "../../state/session";
import { Code } from "../../ui/copy";
import { Icon } from "../../ui/icon";
import { Notice } from "../../ui/page";
import { Ago, Moment } from "../../ui/time";
import { howLines } from "./journey";

function Wait({ step }: { step: Step }) {
  if (!step.not_before || Date.parse(step.not_before) <= now() || step.state === "done") return null;
  return (
    <div class="step-wait">
      <Icon name="clock" />
      <div>
        <strong>
          <Ago at={step.not_before} />
        </strong>
        , on <Moment at={step.not_before} />
        {step.until && <>: {step.until}</>}.
        {step.earliest && step.earliest !== step.not_before && (
          <div class="small dim">
            Senders that look at the id are free <Ago at={step.earliest} />.
          </div>
        )}
      </div>
    </div>
  );
}

export function StepBody({ step }: { step: Step }) {
  return (
    <div class="stack step-body">
      {step.why && <p class="soft">{step.why}</p>}
      <Wait step={step} />
      {step.blocked && step.state !== "done" && (
        <Notice tone="attention" title="In the way">
          {step.blocked}
        </Notice>
      )}
      {step.last_try && (
        <Notice tone="bad" title="The last try failed">
          <Ago at={step.last_try.at} />: {step.last_try.why}
        </Notice>
      )}
      {step.how && (
        <div class="stack-s">
          {howLines(step.how).map((line) => (line.command ? <Code key={line.text} text={line.text} what={`the command ${line.text}`} wrap /> : <p key={line.text}>{line.text}</p>))}
        </div>
      )}
      {step.records.map((change) => (
        <div class="stack-s" key={change.name + change.type}>
          {change.remove.map((value) => (
            <RecordCard key={"-" + value} record={{ name: change.name, type: change.type, value, ttl: change.ttl, remove: true }} />
          ))}
          {change.add.map((value) => (
            <RecordCard key={"+" + value} record={{ name: change.name, type: change.type, value, ttl: change.ttl }} />
          ))}
        </div>
      ))}
      {step.policy && <Code text={step.policy} what="the policy file" />}
    </div>
  );
}
