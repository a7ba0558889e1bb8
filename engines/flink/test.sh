#!/usr/bin/env bash
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# Tests the library in Flink's test harness with the real worker. Needs Go, JDK 17, Maven, and Python 3; 2 minutes for each version.
#
#   engines/flink/test.sh [1.20|2]    default both
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=$root/bin/flink/test/program
CGO_ENABLED=0 go -C "$root" build -o "$program/auspex" ./cmd/auspex
for line in ${1:-1.20 2}; do
  mvn -q -B -Dstyle.color=never -f "$root/engines/flink/pom.xml" -P "flink-$line" "-Dmaven.repo.local=$("$root/scripts/peers.sh" path)/maven" \
    "-Dauspex.program=$program" "-Dauspex.build=$root/bin/flink/test/$line" test
done
