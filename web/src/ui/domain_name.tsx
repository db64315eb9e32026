// SPDX-License-Identifier: Apache-2.0
// A domain for reading: internationalised names in their own letters, with the name that DNS has beside them, since
// two names can look alike.
import { readable } from "../text/names";

export function DomainName({ name, both }: { name: string; both?: boolean }) {
  const read = readable(name);
  const cls = name.length > 60 ? "break long-name" : "break";
  if (read === name) return <span class={cls}>{name}</span>;
  return (
    <span class={cls} title={name}>
      {read}
      {both ? <span class="dim mono small idn"> {name}</span> : <span class="sr"> ({name})</span>}
    </span>
  );
}
