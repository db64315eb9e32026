// SPDX-License-Identifier: Apache-2.0
// embed_pages.mjs DIST OUT: puts the files of DIST, each as it is, with gzip and with brotli, into OUT/pages.bin
// and writes the table of them, OUT/pages.cpp. The same files give the same bytes.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [dist, out] = process.argv.slice(2);
const media = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
};

function* filesBelow(folder, path = "") {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const below = `${path}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(join(folder, entry.name), below);
    else yield below;
  }
}

const pieces = [];
let size = 0;
function put(bytes) {
  pieces.push(bytes);
  size += bytes.length;
  return `piece(${size - bytes.length}, ${bytes.length})`;
}

const rows = [];
for (const path of [...filesBelow(dist)].sort((a, b) => (a < b ? -1 : 1))) {
  const type = media[extname(path)];
  if (!type) throw new Error(`${path}: of what media type? Say so in cmake/embed_pages.mjs.`);
  const plain = readFileSync(join(dist, path));
  const brotli = brotliCompressSync(plain, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
  });
  const gzip = gzipSync(plain, { level: 9 });
  const smaller = (packed) => (packed.length < plain.length * 0.95 ? put(packed) : '""');
  const etag = createHash("sha256").update(plain).digest("base64url").slice(0, 22);
  const lasting = /^\/assets\/.*-[\w-]{8,}\.\w+$/.test(path); // as vite names what it made
  rows.push(`        {${JSON.stringify(path)}, ${JSON.stringify(type)}, "${etag}", ${put(plain)}, ${smaller(gzip)}, ${smaller(brotli)}, ${lasting}},`);
}
if (!rows.some((row) => row.includes('"/index.html"'))) throw new Error(`${dist} has no index.html`);

mkdirSync(out, { recursive: true });
writeFileSync(join(out, "pages.bin"), Buffer.concat(pieces));
writeFileSync(
  join(out, "pages.cpp"),
  `// Made by cmake/embed_pages.mjs.
#include "api/pages.h"

#include <cstddef>

asm(".pushsection .rodata\\n"
    ".balign 16\\n"
    "mailtight_pages:\\n"
    ".incbin \\"${join(out, "pages.bin")}\\"\\n"
    ".byte 0\\n"
    ".popsection\\n");

extern "C" {
extern const char mailtight_pages[];
}

namespace mailtight::api {

namespace {

std::string_view piece(std::size_t offset, std::size_t size) {
    return {mailtight_pages + offset, size};
}

} // namespace

std::span<const page_file> built_pages() {
    static const page_file all[] = {
${rows.join("\n")}
    };
    return all;
}

} // namespace mailtight::api
`,
);
