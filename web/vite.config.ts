// SPDX-License-Identifier: Apache-2.0
// The build of the pages: `vite build --outDir DIR` is what CMake calls. `vite` serves them with fixtures in place of
// the daemon; MAILTIGHT_API=http://127.0.0.1:8460 has it ask a real one.
import { defineConfig } from "vitest/config";
import { fixtures } from "./dev/fixtures.ts";

const daemon = process.env.MAILTIGHT_API;

export default defineConfig({
  plugins: daemon ? [] : [fixtures()],
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  server: {
    host: "127.0.0.1",
    proxy: daemon ? { "/api": { target: daemon, changeOrigin: true } } : {},
  },
  // As the daemon serves them: what breaks this policy is seen here already.
  preview: {
    host: "127.0.0.1",
    headers: {
      "Content-Security-Policy":
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    },
  },
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // nothing inline: the policy for content forbids it
    modulePreload: { polyfill: false },
    cssCodeSplit: true,
    emptyOutDir: true,
    reportCompressedSize: true,
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
