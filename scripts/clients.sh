#!/usr/bin/env bash
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Lumberjack clients that the end-to-end tests send with, into the
# cache of scripts/peers.sh: pylogbeat from PyPI, lumberjack-client from npm.
# Needs Python 3 and npm, and 10 seconds the first time.
#
# The last line on standard output is their folder; progress goes to standard error.
set -euo pipefail

pylogbeat=2.1.0
lumberjack_client=1.0.3

dir=$("$(dirname "${BASH_SOURCE[0]}")"/peers.sh path)/lumberjack-clients

# Under their names only when they are whole.
if [[ ! -e $dir/python/installed-$pylogbeat ]]; then
  rm -rf "$dir/python"
  mkdir -p "$dir"
  python3 -m venv "$dir/python" >&2
  "$dir/python/bin/pip" install --quiet --disable-pip-version-check "pylogbeat==$pylogbeat" >&2
  touch "$dir/python/installed-$pylogbeat"
fi
if [[ ! -e $dir/node/installed-$lumberjack_client ]]; then
  rm -rf "$dir/node"
  mkdir -p "$dir/node"
  npm install --prefix "$dir/node" --no-audit --no-fund --ignore-scripts --loglevel=error "lumberjack-client@$lumberjack_client" >&2
  touch "$dir/node/installed-$lumberjack_client"
fi
printf 'pylogbeat %s and lumberjack-client %s\n' "$pylogbeat" "$lumberjack_client" >&2
echo "$dir"
