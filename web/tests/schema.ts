// SPDX-License-Identifier: Apache-2.0
// As much of JSON Schema as the API's documents use, read from where the program has them.
import { readFileSync, readdirSync } from "node:fs";

export interface Schema {
  type?: string | string[];
  enum?: unknown[];
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  anyOf?: Schema[];
  allOf?: Schema[];
  $ref?: string;
}

/** The named schemas of src/api/schemas*.cpp. */
export function schemas(): Map<string, Schema> {
  const folder = new URL("../../src/api/", import.meta.url);
  const found = new Map<string, Schema>();
  for (const file of readdirSync(folder).filter((name) => name.startsWith("schemas") && name.endsWith(".cpp"))) {
    const source = readFileSync(new URL(file, folder), "utf8");
    for (const [, name = "", text = ""] of source.matchAll(/schema\{\s*"([^"]+)",\s*R"\(([\s\S]*?)\)"\}/g)) found.set(name, JSON.parse(text) as Schema);
  }
  return found;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "number" ? (Number.isInteger(value) ? "integer" : "number") : typeof value;
}

/** What does not fit, each with its place; nothing where everything does. */
export function faults(value: unknown, by: Schema, all: Map<string, Schema>, at = "$"): string[] {
  if (by.$ref) {
    const name = by.$ref.split("/").at(-1) ?? "";
    const to = all.get(name);
    return to ? faults(value, to, all, at) : [`${at}: there is no schema ${name}`];
  }
  const out: string[] = [];
  for (const each of by.allOf ?? []) out.push(...faults(value, each, all, at));
  if (by.anyOf) {
    const tried = by.anyOf.map((each) => faults(value, each, all, at));
    if (!tried.some((each) => each.length === 0)) out.push(`${at}: fits none of anyOf`, ...(tried[0] ?? []));
  }
  const is = typeOf(value);
  const may = by.type === undefined ? [] : [by.type].flat();
  if (may.length > 0 && !may.includes(is) && !(is === "integer" && may.includes("number"))) return [...out, `${at}: is ${is}, not ${may.join(" or ")}`];
  if (by.enum && !by.enum.includes(value)) out.push(`${at}: ${JSON.stringify(value)} is none of ${JSON.stringify(by.enum)}`);
  if (is === "array" && ((value as unknown[]).length < (by.minItems ?? 0) || (value as unknown[]).length > (by.maxItems ?? Infinity))) out.push(`${at}: has ${(value as unknown[]).length} items`);
  if (is === "array" && by.items) for (const [i, each] of (value as unknown[]).entries()) out.push(...faults(each, by.items, all, `${at}[${i}]`));
  if (is === "object") {
    const object = value as Record<string, unknown>;
    for (const name of by.required ?? []) if (!(name in object)) out.push(`${at}: ${name} is missing`);
    for (const [name, each] of Object.entries(object)) {
      const known = by.properties?.[name];
      if (known) out.push(...faults(each, known, all, `${at}.${name}`));
      else if (by.additionalProperties === false) out.push(`${at}: ${name} is not known`);
      else if (typeof by.additionalProperties === "object") out.push(...faults(each, by.additionalProperties, all, `${at}.${name}`));
    }
  }
  return out;
}
