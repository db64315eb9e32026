// SPDX-License-Identifier: Apache-2.0
// Names of domains: as they are typed, as DNS has them, as people read them.

/** What somebody typed or pasted, as a domain: an address, a link or a name. "" where there is none in it. */
export function domainFrom(text: string): string {
  let name = text.trim().toLowerCase();
  name = name.replace(/^(?:mailto:|[a-z][a-z0-9+-]*:\/\/)/, ""); // a scheme
  name = name.replace(/^.*@/, "").split(/[/?#\s,;]/)[0] ?? "";
  name = name.replace(/:\d+$/, "").replace(/[\u3002\uff0e\uff61]/g, ".").replace(/^\.+|\.+$/g, "");
  if (!name || /[^\x21-\x7e]/.test(name)) name = ascii(name);
  return name;
}

/** Internationalised names in their ASCII form, by the browser's own UTS 46. */
function ascii(name: string): string {
  if (!name) return "";
  try {
    return new URL(`http://${name}/`).hostname;
  } catch {
    return name;
  }
}

/** Why this is no domain; null where it may be one. */
export function whyNoDomain(name: string): string | null {
  if (!name) return "Type a domain, such as example.com.";
  if (name.length > 253) return "This is longer than a domain can be.";
  if (!name.includes(".")) return "This has no dot: type the whole domain, such as example.com.";
  if (/^[\d.]+$/.test(name) || name.startsWith("[")) return "This is an address. Type the part behind the @ of your mail addresses.";
  if (!name.split(".").every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))) return "A domain has letters, digits and hyphens, with dots between.";
  return null;
}

/** The Unicode form of a name with xn-- labels, for reading; the name itself where there are none (RFC 3492 §6.2). */
export function readable(name: string): string {
  return name
    .split(".")
    .map((label) => (label.startsWith("xn--") ? (decode(label.slice(4)) ?? label) : label))
    .join(".");
}

function decode(text: string): string | null {
  if (!text) return null;
  const cut = text.lastIndexOf("-");
  const out = [...(cut > 0 ? text.slice(0, cut) : "")].map((c) => c.codePointAt(0)!);
  let at = cut > 0 ? cut + 1 : 0;
  let n = 128;
  let i = 0;
  let bias = 72;
  while (at < text.length) {
    const before = i;
    for (let w = 1, k = 36; ; k += 36) {
      const c = text.charCodeAt(at++);
      const digit = c >= 48 && c <= 57 ? c - 22 : c >= 97 && c <= 122 ? c - 97 : -1;
      if (digit < 0 || i > 0x7fffffff) return null;
      i += digit * w;
      const t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
      if (digit < t) break;
      w *= 36 - t;
    }
    const size = out.length + 1;
    let delta = before === 0 ? Math.floor(i / 700) : (i - before) >> 1;
    delta += Math.floor(delta / size);
    let k = 0;
    for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
    bias = k + Math.floor((36 * delta) / (delta + 38));
    n += Math.floor(i / size);
    i %= size;
    if (n > 0x10ffff || (n >= 0xd800 && n < 0xe000)) return null;
    out.splice(i++, 0, n);
  }
  return String.fromCodePoint(...out);
}
