// SPDX-License-Identifier: Apache-2.0
import { LinkButton } from "../../ui/button";
import { Empty, Page } from "../../ui/page";

export default function Missing() {
  return (
    <Page title="Page not found">
      <Empty
        icon="search"
        title="Nothing stands at this address"
        actions={
          <>
            <LinkButton href="/" kind="primary">
              Go to the overview
            </LinkButton>
            <LinkButton href="/check">Check a domain</LinkButton>
          </>
        }
      >
        <p>The address may be mistyped, or the link may be older than this version.</p>
      </Empty>
    </Page>
  );
}
