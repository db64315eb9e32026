// SPDX-License-Identifier: Apache-2.0
// The four parts that have to be right together, each with what was seen of it.
import "./look.css";
import type { Check, PartState, Parts } from "../api/types";
import { list, plural, span } from "../text/format";
import { Icon } from "../ui/icon";
import { partSigns, partTone, partWords } from "../ui/status";

interface Part {
  key: keyof Parts;
  name: string;
  seen: string;
}

/** Where nobody answered, "there is none" would be made up. */
const none = (state: PartState, words: string) => (state === "not-tested" ? "no answer" : words);

/** One line of what was seen of each part. */
export function seenOf(check: Check): Part[] {
  const policy = check.policy;
  const { parts } = check;
  return [
    { key: "sts_record", name: "MTA-STS record", seen: check.sts_record?.id ? `id ${check.sts_record.id}` : check.sts_record?.texts.length ? plural(check.sts_record.texts.length, "record") : none(parts.sts_record, "_mta-sts: no record") },
    { key: "policy_file", name: "Policy file", seen: policy?.mode ? `${policy.mode}${policy.max_age ? `, kept for ${span(policy.max_age)}` : ""}` : none(parts.policy_file, "mta-sts: no policy") },
    { key: "tlsrpt_record", name: "TLS reporting", seen: check.tlsrpt_record?.rua.length ? list(check.tlsrpt_record.rua.map((to) => to.replace(/^mailto:/, ""))) : none(parts.tlsrpt_record, "_smtp._tls: no record") },
    { key: "mail_servers", name: "Mail servers", seen: servers(check) },
  ];
}

function servers({ mx, mode, parts }: Check): string {
  if (!mx.length) return none(parts.mail_servers, "no MX record");
  const strange = mode === "none" ? 0 : mx.filter((host) => host.in_policy === false).length;
  const open = mx.filter((host) => host.addresses.some((one) => one.starttls === false)).length;
  return [plural(mx.length, "server"), strange ? `${strange} not in the policy` : "", open ? `${open} without STARTTLS` : ""].filter(Boolean).join(", ");
}

const Tile = ({ name, state, seen }: { name: string; state: PartState; seen: string }) => (
  <li class={`part-tile part-${partTone[state]}`}>
    <div class="part-name">{name}</div>
    <div class={`part-state tone-${partTone[state]}`}>
      <Icon name={partSigns[state]} />
      {partWords[state]}
    </div>
    <div class="small dim break">{seen}</div>
  </li>
);

export function PartTiles({ parts, check }: { parts: Parts; check: Check | null }) {
  const seen = check ? seenOf(check) : null;
  const names: [keyof Parts, string][] = [
    ["sts_record", "MTA-STS record"],
    ["policy_file", "Policy file"],
    ["tlsrpt_record", "TLS reporting"],
    ["mail_servers", "Mail servers"],
  ];
  return (
    <ul class="part-tiles">
      {names.map(([key, name]) => (
        <Tile key={key} name={name} state={parts[key]} seen={seen?.find((one) => one.key === key)?.seen ?? ""} />
      ))}
    </ul>
  );
}
