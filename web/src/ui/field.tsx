// SPDX-License-Identifier: Apache-2.0
// Fields of forms: a label, a hint, and what is wrong, tied together for screen readers.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Icon } from "./icon";

interface About {
  label: string;
  hint?: ComponentChildren;
  wrong?: string | null;
}
interface InputProps extends About {
  value: string;
  set: (value: string) => void;
  large?: boolean;
  mono?: boolean;
  type?: "text" | "password" | "date" | "number" | "email" | "url";
  name?: string;
  placeholder?: string;
  required?: boolean;
  autocomplete?: string;
  autofocus?: boolean;
  spellcheck?: boolean;
  inputMode?: "text" | "url" | "numeric" | "email";
  min?: string;
  max?: string;
  list?: string;
}

function Frame({ id, label, hint, wrong, children }: About & { id: string; children: ComponentChildren }) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      {hint && (
        <div class="hint" id={id + "-hint"}>
          {hint}
        </div>
      )}
      {wrong && (
        <div class="wrong" id={id + "-wrong"} role="alert">
          <Icon name="bad" />
          <span>{wrong}</span>
        </div>
      )}
    </div>
  );
}

const described = (id: string, about: About): string | undefined =>
  [about.hint ? id + "-hint" : "", about.wrong ? id + "-wrong" : ""].filter(Boolean).join(" ") || undefined;

export function TextField({ label, hint, wrong, value, set, large, mono, type = "text", ...rest }: InputProps) {
  const id = useId();
  const about: About = { label, hint, wrong: wrong ?? null };
  return (
    <Frame id={id} {...about}>
      <input
        {...rest}
        type={type as "text"}
        id={id}
        class={["input", large ? "large" : "", mono ? "mono" : ""].filter(Boolean).join(" ")}
        value={value}
        aria-invalid={wrong ? "true" : undefined}
        aria-describedby={described(id, about)}
        onInput={(event) => set(event.currentTarget.value)}
      />
    </Frame>
  );
}

export function TextArea({ label, hint, wrong, value, set, mono, rows = 3 }: About & { value: string; set: (value: string) => void; mono?: boolean; rows?: number }) {
  const id = useId();
  const about: About = { label, hint, wrong: wrong ?? null };
  return (
    <Frame id={id} {...about}>
      <textarea
        id={id}
        rows={rows}
        class={mono ? "textarea mono" : "textarea"}
        value={value}
        aria-invalid={wrong ? "true" : undefined}
        aria-describedby={described(id, about)}
        onInput={(event) => set(event.currentTarget.value)}
      />
    </Frame>
  );
}

export function SelectField<T extends string>({ label, hint, value, set, options }: About & { value: T; set: (value: T) => void; options: [T, string][] }) {
  const id = useId();
  const about: About = { label, hint };
  return (
    <Frame id={id} {...about}>
      <select id={id} class="select" value={value} aria-describedby={described(id, about)} onChange={(event) => set(event.currentTarget.value as T)}>
        {options.map(([name, words]) => (
          <option value={name} key={name}>
            {words}
          </option>
        ))}
      </select>
    </Frame>
  );
}

/** One of a few, each with a sentence. */
export function Choices<T extends string>({ legend, value, set, options }: { legend: string; value: T; set: (value: T) => void; options: { value: T; words: string; more?: string }[] }) {
  const name = useId();
  return (
    <fieldset class="choices">
      <legend class="label">{legend}</legend>
      {options.map((one) => (
        <label class="choice" key={one.value}>
          <input type="radio" name={name} value={one.value} checked={one.value === value} onChange={() => set(one.value)} />
          <span class="grow">
            <b>{one.words}</b>
            {one.more && <span>{one.more}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** A search field; `/` anywhere on the page goes to it (see shell/keys). */
export function SearchField({ label, value, set, placeholder }: { label: string; value: string; set: (value: string) => void; placeholder?: string }) {
  return (
    <div class="with-icon search">
      <Icon name="search" />
      <input class="input" type="search" data-search aria-label={label} placeholder={placeholder ?? label} value={value} autocomplete="off" spellcheck={false} onInput={(event) => set(event.currentTarget.value)} />
      {!value && <kbd aria-hidden="true">/</kbd>}
    </div>
  );
}
