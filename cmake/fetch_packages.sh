#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fetch_packages.sh NPM: in the folder of the pages, fetches what builds them, as package-lock.json says.
set -eu
npm=$1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! "$npm" ci --no-audit --no-fund --loglevel=error >"$log" 2>&1; then
  # Where the lock was written by a registry that had not every platform's optional package, npm ci of some
  # versions refuses; npm install takes the same versions by the same digests, and --no-save changes no file.
  if ! "$npm" install --no-save --no-audit --no-fund --loglevel=error >>"$log" 2>&1; then
    cat "$log" >&2
    echo "the packages that build the pages could not be fetched; without pages: -DMAILTIGHT_WEB=OFF" >&2
    exit 1
  fi
fi
touch node_modules/.package-lock.json
