#!/usr/bin/env bash
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds the wheel auspex-beam, and tests it with the runners that scripts/beam.sh installs.
#
#   engines/beam/test.sh [TEST...]    such as test_series.SeriesTest; default all
#   engines/beam/test.sh measure [--series N] [--points N]
#   engines/beam/test.sh install              installs it in a fresh environment by the commands of README.md, and uses it
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
python=$("$root/scripts/beam.sh")/bin/python
installed=$root/bin/beam

if [[ ${1:-} == install ]]; then
  fresh=$(mktemp -d)
  trap 'rm -rf "$fresh"' EXIT
  python3 -m venv "$fresh"
  cd "$root"
  PATH=$fresh/bin:$PATH
  commands=$(grep -E '^(engines/build.sh|pip install) ' engines/beam/README.md)
  printf '%s\n' "$commands" >&2
  bash -e <<< "$commands" >/dev/null
  cd engines/beam/tests
  python -m unittest test_series.SeriesTest.test_types_of_time_and_value
  exit
fi

wheel=$("$root/engines/build.sh" beam "$python")
rm -rf "$installed"
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$installed" "$wheel"
[[ -x $root/bin/auspex-demo ]] || make -C "$root" bin/auspex-demo
cd "$root/engines/beam/tests"
export PYTHONPATH=$installed:.
if [[ ${1:-} == measure ]]; then
  exec "$python" measure.py "${@:2}"
fi
if [[ $# == 0 ]]; then
  exec "$python" -m unittest discover -v
fi
exec "$python" -m unittest -v "$@"
