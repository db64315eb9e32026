// SPDX-License-Identifier: Apache-2.0
// Nothing is looked after yet: the page begins with the one question that matters.
import { go } from "../../router";
import { can } from "../../state/session";
import { Icon, type IconName } from "../../ui/icon";
import { Page } from "../../ui/page";
import { DomainForm } from "../../look/domain_form";

const parts: [IconName, string, string][] = [
  ["scan", "See the truth", "Records, policy file, mail servers and certificates, as senders see them. Nothing is changed."],
  ["shield", "Be led to enforce", "Step by step, in the right order, with waits where senders need them. You can stop at any step."],
  ["reports", "Know that it holds", "Senders report once a day. Each failure comes with its cause and its fix."],
];

export function FirstStart() {
  return (
    <Page title="Welcome" head="Does mail reach your domain safely?" sub="Type a domain that you look after. The look takes some seconds and needs nothing installed." narrow>
      <div class="card first-start">
        <DomainForm button="Check this domain" submit={(domain) => go(`/check?domain=${encodeURIComponent(domain)}`)} />
        {can("operator") && (
          <p class="small soft">
            Many domains? <a href="/domains/new">Add them without looking</a>, or a whole list with <code>mailtight domain add --help</code>.
          </p>
        )}
      </div>
      <ol class="first-parts">
        {parts.map(([icon, title, words], i) => (
          <li key={title}>
            <span class="empty-sign">
              <Icon name={icon} size={20} />
            </span>
            <h2>
              {i + 1}. {title}
            </h2>
            <p class="soft">{words}</p>
          </li>
        ))}
      </ol>
      <p class="small soft">
        Did somebody send you a report? <a href="/read">Read it here</a>: nothing is stored unless you ask for it.
      </p>
    </Page>
  );
}
