// SPDX-License-Identifier: Apache-2.0
// Words in records and files that only a person can fill in.
import { Notice } from "../ui/page";

const what: Record<string, string> = {
  "YOUR-POLICY-HOST": "the name or address of the web server that has the policy file",
  "YOUR-MX-HOST": "the name of a mail server of this domain",
};

export function Needs({ needs }: { needs: string[] }) {
  if (!needs.length) return null;
  return (
    <Notice icon="pencil" title="Fill in before you publish">
      <ul class="needs">
        {needs.map((one) => (
          <li key={one}>
            <code>{one}</code>
            {what[one] && <>: {what[one]}</>}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
