// SPDX-License-Identifier: Apache-2.0
// Enforce without evidence: allowed, never by accident, and the reason is kept.
import { useState } from "preact/hooks";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextArea } from "../../ui/field";
import { Notice } from "../../ui/page";
import type { Doing } from "./doing";

export function ForceDialog({ doing, domain }: { doing: Doing; domain: string }) {
  const [reason, setReason] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const submit = async () => {
    if (reason.trim().length < 3) {
      setWrong("Say why, in a few words: whoever looks at this later will want to know.");
      return;
    }
    if (await doing.force(reason.trim())) doing.closeForce();
  };
  return (
    <Dialog
      title="Enforce without evidence"
      close={doing.closeForce}
      submit={() => void submit()}
      footer={
        <>
          <Button onClick={doing.closeForce}>Keep testing</Button>
          <Button kind="primary" type="submit" busy={doing.busy === "force"}>
            Enforce {domain}
          </Button>
        </>
      }
    >
      <Notice tone="attention" title="Mail may be held back">
        Reports do not show yet that every sender reaches every server safely. In enforce, senders that do not will wait, and return the mail in the end.
      </Notice>
      <TextArea label="The reason" hint="It stays in the history of this domain, with your name." value={reason} set={setReason} wrong={wrong} />
    </Dialog>
  );
}
