// SPDX-License-Identifier: Apache-2.0
// One field for one domain. An address or a link does as well: what is not the domain is taken off.
import { useState } from "preact/hooks";
import { domainFrom, whyNoDomain } from "../text/names";
import { Button } from "../ui/button";
import { TextField } from "../ui/field";

export function DomainForm({ button, submit, start = "", busy, label = "Domain" }: { button: string; submit: (domain: string) => void; start?: string; busy?: boolean; label?: string }) {
  const [text, setText] = useState(start);
  const [wrong, setWrong] = useState<string | null>(null);
  return (
    <form
      class="domain-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const domain = domainFrom(text);
        const why = whyNoDomain(domain);
        setWrong(why);
        if (why) return;
        setText(domain);
        submit(domain);
      }}
    >
      <TextField
        label={label}
        large
        value={text}
        set={(value) => {
          setText(value);
          setWrong(null);
        }}
        wrong={wrong}
        placeholder="example.com"
        inputMode="url"
        autocomplete="off"
        spellcheck={false}
        name="domain"
      />
      <Button kind="primary" size="large" type="submit" busy={!!busy}>
        {button}
      </Button>
    </form>
  );
}
