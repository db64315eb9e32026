// SPDX-License-Identifier: Apache-2.0
// DNS records to publish: every field with its own copy button, since forms want them one by one.
import "./look.css";
import { CopyButton } from "../ui/copy";
import { Badge } from "../ui/status";

export interface ShownRecord {
  name: string;
  type: string;
  value: string;
  ttl?: number; // as the zone has it where there is none
  done?: boolean;
  remove?: boolean;
}
export interface Labels {
  name: string;
  type: string;
  value: string;
  ttl: string;
}
const plain: Labels = { name: "Name", type: "Type", value: "Value", ttl: "TTL" };

function Field({ label, text, what }: { label: string; text: string; what: string }) {
  return (
    <div class="record-field">
      <dt>{label}</dt>
      <dd>
        <span class="mono break grow">{text}</span>
        <CopyButton text={text} what={what} />
      </dd>
    </div>
  );
}

/** `named`: the name as the provider's form wants it. */
export function RecordCard({ record, labels = plain, named }: { record: ShownRecord; labels?: Labels; named?: string }) {
  const name = named ?? record.name;
  return (
    <dl class={record.remove ? "record remove" : "record"}>
      <div class="record-field record-type">
        <dt>{labels.type}</dt>
        <dd>
          <strong>{record.type}</strong>
          <span class="grow" />
          {record.done && <Badge tone="good">Published</Badge>}
          {record.remove && <Badge tone="bad" icon="trash">Delete this one</Badge>}
        </dd>
      </div>
      <Field label={labels.name} text={name} what={`the name ${name}`} />
      <Field label={labels.value} text={record.value} what={`the value of ${name}`} />
      {!record.remove && record.ttl !== undefined && <Field label={labels.ttl} text={String(record.ttl)} what={`the TTL of ${name}`} />}
    </dl>
  );
}
