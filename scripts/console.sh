#!/usr/bin/env bash
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds the page of the console into extension/consoleextension/web/dist: checks
# types, runs its unit tests, and bundles. With `modules`, it only installs what
# package.json names into the cache of scripts/peers.sh and links it. Needs Node 20 and npm.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
web=$root/extension/consoleextension/web
key=$(sha256sum "$web/package.json" "$web/package-lock.json" | sha256sum | cut -c1-12)
dir=$("$root/scripts/peers.sh" path)/console-$key

if [[ ! -e $dir/installed ]]; then
  rm -rf "$dir"
  mkdir -p "$dir"
  cp "$web/package.json" "$web/package-lock.json" "$dir"
  npm ci --prefix "$dir" --no-audit --no-fund --ignore-scripts --loglevel=error >&2
  touch "$dir/installed"
fi
ln -sfn "$dir/node_modules" "$web/node_modules"
[[ ${1:-} == modules ]] && exit 0

cd "$web"
node_modules/.bin/tsc -p .
tests=$(mktemp -d)
trap 'rm -rf "$tests"' EXIT
node_modules/.bin/esbuild src/*.test.ts --bundle --platform=node --format=esm --out-extension:.js=.mjs --outdir="$tests" --log-level=warning
node --test --test-reporter=dot "$tests"
node build.mjs node_modules
