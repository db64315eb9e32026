// SPDX-License-Identifier: Apache-2.0
// The mail servers of a domain, address by address.
import "./look.css";
import type { Certificate, Check } from "../api/types";
import { now } from "../state/session";
import { capital, list } from "../text/format";
import { Icon } from "../ui/icon";
import { Badge, type Tone } from "../ui/status";
import { Ago } from "../ui/time";

type Host = Check["mx"][number];

/** Who signed it, as people know it: the common name or the organisation of "CN=R11,O=Let's Encrypt,C=US". */
export function issuerName(issuer: string): string {
  const part = (name: string) => new RegExp(`(?:^|,)\\s*${name}=((?:\\\\.|[^,])+)`, "i").exec(issuer)?.[1]?.replace(/\\(.)/g, "$1").trim();
  const common = part("CN");
  const organisation = part("O");
  if (common && organisation && !common.includes(organisation)) return `${organisation} (${common})`;
  return common ?? organisation ?? issuer;
}

function CertificateLine({ one }: { one: Certificate }) {
  const ended = !!one.not_after && Date.parse(one.not_after) < now();
  const more = one.names.length - 3;
  return (
    <div class="small dim break">
      Certificate for {list(one.names.slice(0, 3))}
      {more > 0 && ` and ${more} more`}
      {one.issuer && <span title={one.issuer}> from {issuerName(one.issuer)}</span>}
      {one.not_after && (
        <>
          , {ended ? "ended " : "ends "}
          <Ago at={one.not_after} />
        </>
      )}
    </div>
  );
}

function Address({ one }: { one: Host["addresses"][number] }) {
  const certificate = one.certificate;
  const ended = !!certificate?.not_after && Date.parse(certificate.not_after) < now();
  return (
    <li class="server-address">
      <span class="mono small break server-ip">{one.ip}</span>
      <div class="grow stack-s">
        <div class="row">
          {one.starttls === null ? <Badge>Not tested</Badge> : one.starttls ? <Badge tone="good">{one.tls || "STARTTLS"}</Badge> : <Badge tone="bad">No STARTTLS</Badge>}
          {certificate && (certificate.trusted && !ended ? <Badge tone="good">Trusted</Badge> : <Badge tone="bad">{ended ? "Expired" : "Not trusted"}</Badge>)}
        </div>
        {certificate && <CertificateLine one={certificate} />}
      </div>
    </li>
  );
}

/** What strict senders ask of a mail server, in the words of the page; the API has the long ones. */
const criteriaWords: Record<string, string> = {
  "accepts mail over TLS": "Takes mail over TLS",
  "TLS 1.2 or later": "TLS 1.2 or later",
  "the certificate names the MX host": "Certificate names the host",
  "chain to a public root": "Public authority",
  "not expired": "Not expired",
};
const criterionTone: Record<Host["criteria"][number]["state"], Tone> = { pass: "good", fail: "bad", "not-tested": "unknown" };
const criterionState: Record<Host["criteria"][number]["state"], string> = { pass: "passes", fail: "fails", "not-tested": "not tested" };

function Criteria({ host }: { host: Host }) {
  const why = [...new Set(host.criteria.filter((one) => one.state !== "pass" && one.why).map((one) => one.why))];
  if (!host.criteria.length) return null;
  if (host.criteria.every((one) => one.state === "pass"))
    return (
      <p class="server-criteria small tone-good">
        <Icon name="good" size={15} />
        <span class="server-criterion">Meets all that strict senders ask for</span>
      </p>
    );
  return (
    <div class="stack-s">
      <ul class="server-criteria" aria-label={`What strict senders ask of ${host.host}`}>
        {host.criteria.map((one) => (
          <li class={`small tone-${criterionTone[one.state]}`} key={one.name}>
            <Icon name={criterionTone[one.state]} size={15} />
            <span class="server-criterion">{criteriaWords[one.name] ?? one.name}</span>
            <span class="sr">: {criterionState[one.state]}</span>
          </li>
        ))}
      </ul>
      {why.map((each) => (
        <p class="small soft break" key={each}>
          {capital(each)}.
        </p>
      ))}
    </div>
  );
}

const dane: Record<string, [Tone | "accent", string]> = {
  matches: ["accent", "DANE"],
  mismatch: ["bad", "DANE does not match"],
  unusable: ["attention", "DANE is not usable"],
  insecure: ["attention", "DANE without DNSSEC"],
  "not-checked": ["unknown", "DANE not checked"],
};
function DaneBadge({ state }: { state: string }) {
  const [tone, words] = dane[state] ?? ["unknown", `DANE: ${state}`];
  return <Badge tone={tone}>{words}</Badge>;
}

export function Servers({ check }: { check: Check }) {
  if (!check.mx.length) return <p class="soft">{check.parts.mail_servers === "not-tested" ? "DNS gave no answer, so its mail servers are not known." : "The domain names no mail server."}</p>;
  return (
    <ul class="servers">
      {check.mx.map((host) => (
        <li class="server" key={host.host}>
          <div class="server-head">
            <h3 class="break">{host.host}</h3>
            <span class="small dim">preference {host.preference}</span>
            <span class="grow" />
            {host.in_policy !== null && (host.in_policy ? <Badge tone="good">In the policy</Badge> : <Badge tone="bad">Not in the policy</Badge>)}
            {host.dane && <DaneBadge state={host.dane} />}
          </div>
          <Criteria host={host} />
          {host.addresses.length ? (
            <ul>
              {host.addresses.map((one) => (
                <Address one={one} key={one.ip} />
              ))}
            </ul>
          ) : (
            <p class="small tone-bad">It has no address.</p>
          )}
        </li>
      ))}
    </ul>
  );
}
