#!/usr/bin/env bash
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds the wheel auspex-ENGINE with the program `auspex` for Linux on amd64, and
# writes it to bin/wheels. RELEASE=1 removes the paths of the builder from the binary.
# Needs Go and Python 3 with pip.
#
#   engines/build.sh ENGINE [PYTHON]    ENGINE is a folder of engines; PYTHON must have pip, default python3
#
# The last line on standard output is the path of the wheel; progress goes to standard error.
set -euo pipefail

engine=${1:?name an engine, such as beam}
python=${2:-python3}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
version=$(awk '$1 == "version:" {print $2; exit}' "$root/builder-config.yaml")
stage=$root/bin/wheels/stage-$engine
package=$stage/auspex_$engine

# The binary is static, so that it runs with glibc and with musl.
export AUSPEX_WHEEL_PLATFORM=manylinux_2_17_x86_64.musllinux_1_1_x86_64

rm -rf "$stage"
mkdir -p "$stage"
cp -r "$root/engines/$engine"/{pyproject.toml,README.md,"auspex_$engine"} "$root/engines/setup.py" "$root/LICENSE" "$stage"
rm -rf "$package/__pycache__"
cp "$root"/engines/worker/python/auspex_*.py "$package/"
echo "$version" > "$stage/VERSION"
(cd "$root" && CGO_ENABLED=0 GOOS=linux GOARCH=amd64 go build ${RELEASE:+-trimpath} -ldflags "-s -w -X main.version=$version" \
  -o "$package/auspex" ./cmd/auspex) >&2
rm -f "$root/bin/wheels/auspex_$engine"-*.whl
"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$root/bin/wheels" "$stage" >&2
rm -rf "$stage"
ls "$root/bin/wheels/auspex_$engine"-*.whl
