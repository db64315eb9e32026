// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren, JSX } from "preact";
import { Icon, type IconName } from "./icon";

interface Looks {
  kind?: "primary" | "quiet" | "danger" | "plain";
  size?: "small" | "large";
  icon?: IconName;
  children?: ComponentChildren;
}
interface ButtonProps extends Looks, Omit<JSX.IntrinsicElements["button"], "size" | "icon" | "children" | "label"> {
  busy?: boolean;
  /** For a button that shows a sign alone. */
  label?: string;
}

const classes = (looks: Looks, alone: boolean): string =>
  ["button", looks.kind && looks.kind !== "plain" ? looks.kind : "", looks.size ?? "", alone ? "icon" : ""].filter(Boolean).join(" ");

/** While it is busy it stays focusable, and does nothing. */
export function Button({ kind, size, icon, busy, label, children, onClick, type = "button", ...rest }: ButtonProps) {
  const looks: Looks = { ...(kind ? { kind } : {}), ...(size ? { size } : {}) };
  return (
    <button
      {...rest}
      type={type}
      class={classes(looks, !children)}
      aria-label={label}
      title={label}
      aria-disabled={busy ? "true" : undefined}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {busy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** A link that looks like a button: it goes somewhere. */
export function LinkButton({ href, kind, size, icon, children, ...rest }: Looks & { href: string; download?: boolean | string; target?: string; rel?: string; title?: string }) {
  const looks: Looks = { ...(kind ? { kind } : {}), ...(size ? { size } : {}) };
  return (
    <a {...rest} href={href} class={classes(looks, false)}>
      {icon && <Icon name={icon} />}
      {children}
    </a>
  );
}
