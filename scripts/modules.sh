#!/usr/bin/env bash
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
#   scripts/modules.sh NAME FOLDER
#
# Installs the modules that FOLDER/package-lock.json names into the cache of
# scripts/peers.sh, as NAME, and links them to FOLDER/node_modules. Needs Node 20 and npm.
set -euo pipefail

folder=$2
key=$(cat "$folder/package.json" "$folder/package-lock.json" | sha256sum | cut -c1-12)
dir=$("$(dirname "${BASH_SOURCE[0]}")/peers.sh" path)/$1-$key

if [[ ! -e $dir/installed ]]; then
  rm -rf "$dir"
  mkdir -p "$dir"
  cp "$folder/package.json" "$folder/package-lock.json" "$dir"
  npm ci --prefix "$dir" --no-audit --no-fund --ignore-scripts --loglevel=error >&2
  touch "$dir/installed"
fi
ln -sfn "$dir/node_modules" "$folder/node_modules"
