#!/usr/bin/env bash
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds the page of the console into extension/consoleextension/web/dist: checks
# types, runs its unit tests, and bundles. With `modules`, it only installs the
# modules (scripts/modules.sh). Needs Node 20 and npm.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
web=$root/extension/consoleextension/web
"$root/scripts/modules.sh" console "$web"
[[ ${1:-} == modules ]] && exit 0

cd "$web"
node_modules/.bin/tsc -p .
tests=$(mktemp -d)
trap 'rm -rf "$tests"' EXIT
node_modules/.bin/esbuild src/*.test.ts --bundle --platform=node --format=esm --out-extension:.js=.mjs --outdir="$tests" --log-level=warning
node --test --test-reporter=dot "$tests"
node build.mjs node_modules
