#!/usr/bin/env bash
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds the package of an engine, with the program `auspex` for Linux on amd64 in it. RELEASE=1 removes the paths of
# the builder from the program. Needs Go.
#
#   engines/build.sh spark|beam [PYTHON]    a wheel in bin/wheels; PYTHON must have pip, default python3
#   engines/build.sh flink [1.20|2]         the jar of a job in bin/flink, for a version of Flink, default 2; needs JDK 17 and Maven
#
# The last line on standard output is the path of the package; progress goes to standard error.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
version=$(awk '$1 == "version:" {print $2; exit}' "$root/builder-config.yaml")

# program FOLDER: builds the program into a folder.
program() {
  (cd "$root" && CGO_ENABLED=0 GOOS=linux GOARCH=amd64 go build ${RELEASE:+-trimpath} -ldflags "-s -w -X main.version=$version" \
    -o "$1/auspex" ./cmd/auspex) >&2
}

# wheel ENGINE PYTHON
wheel() {
  local stage=$root/bin/wheels/stage-$1 package=$root/bin/wheels/stage-$1/auspex_$1
  rm -rf "$stage"
  mkdir -p "$stage"
  cp -r "$root/engines/$1"/{pyproject.toml,README.md,"auspex_$1"} "$root/engines/setup.py" "$root/LICENSE" "$stage"
  rm -rf "$package/__pycache__"
  cp "$root"/engines/worker/python/auspex_*.py "$package/"
  echo "$version" > "$stage/VERSION"
  program "$package"
  rm -f "$root/bin/wheels/auspex_$1"-*.whl
  # The program is static, so that it runs with glibc and with musl.
  AUSPEX_WHEEL_PLATFORM=manylinux_2_17_x86_64.musllinux_1_1_x86_64 \
    "$2" -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$root/bin/wheels" "$stage" >&2
  rm -rf "$stage"
  ls "$root/bin/wheels/auspex_$1"-*.whl
}

# jar FLINK_LINE
jar() {
  local stage=$root/bin/flink/stage-$1
  program "$stage/program"
  mvn -q -B -Dstyle.color=never -f "$root/engines/flink/pom.xml" -P "flink-$1" "-Dmaven.repo.local=$("$root/scripts/peers.sh" path)/maven" \
    "-Dauspex.version=$version" "-Dauspex.build=$stage" -DskipTests package >&2
  mv "$stage/auspex-flink-$1-$version.jar" "$root/bin/flink/"
  rm -rf "$stage"
  echo "$root/bin/flink/auspex-flink-$1-$version.jar"
}

case ${1:-} in
  spark | beam) wheel "$1" "${2:-python3}" ;;
  flink) jar "${2:-2}" ;;
  *) sed -n '5,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
