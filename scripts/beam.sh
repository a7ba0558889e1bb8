#!/usr/bin/env bash
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs what the tests of engines/beam run on, into the cache of scripts/peers.sh:
# Apache Beam from PyPI in a virtual environment, and the runner Prism, built from its
# Go module. Needs Python 3 with venv, Go, 1 GB, and 5 minutes the first time.
#
# The last line on standard output is the folder of the environment, in which bin/prism
# is the runner; progress goes to standard error.
set -euo pipefail

beam=2.77.0

scripts=$(dirname "${BASH_SOURCE[0]}")
dir=$("$scripts/peers.sh" path)/engines/beam-$beam
prism=$("$scripts/peers.sh" prism)

# The environment gets its mark only when complete.
if [[ ! -e $dir/installed ]]; then
  printf 'installing apache-beam %s\n' "$beam" >&2
  rm -rf "$dir"
  mkdir -p "$(dirname "$dir")"
  python3 -m venv "$dir" >&2
  "$dir/bin/pip" install --quiet --disable-pip-version-check "apache-beam==$beam" 'setuptools>=77' wheel >&2
  touch "$dir/installed"
fi
ln -sf "$prism/prism" "$dir/bin/prism"
echo "$dir"
