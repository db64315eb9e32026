// SPDX-License-Identifier: Apache-2.0
// The mail servers of a domain, address by address.
import "./look.css";
import type { Certificate, Check } from "../api/types";
import { now } from "../state/session";
import { list } from "../text/format";
import { Badge } from "../ui/status";
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
            {host.dane && <Badge tone="accent">DANE</Badge>}
          </div>
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
