#!/usr/bin/env bash
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs the OpenTelemetry SDKs that the end-to-end tests send with, into the
# cache of scripts/peers.sh: Python's from PyPI, JavaScript's from npm, Java's
# from Maven. Needs Python 3, npm, a JDK 17 and Maven, and a minute the first time.
#
# The last line on standard output is their folder; progress goes to standard error.
set -euo pipefail

python=1.45.2
javascript=2.12.1
javascript_exporters=0.223.0
java=1.57.0

cache=$("$(dirname "${BASH_SOURCE[0]}")"/peers.sh path)
dir=$cache/otel-clients
mkdir -p "$dir"

# They get their final names only when complete.
if [[ ! -e $dir/python/installed-$python ]]; then
  rm -rf "$dir/python"
  python3 -m venv "$dir/python" >&2
  "$dir/python/bin/pip" install --quiet --disable-pip-version-check "opentelemetry-sdk==$python" \
    "opentelemetry-exporter-otlp-proto-grpc==$python" "opentelemetry-exporter-otlp-proto-http==$python" >&2
  touch "$dir/python/installed-$python"
fi
if [[ ! -e $dir/node/installed-$javascript ]]; then
  rm -rf "$dir/node"
  mkdir -p "$dir/node"
  npm install --prefix "$dir/node" --no-audit --no-fund --ignore-scripts --loglevel=error "@opentelemetry/sdk-metrics@$javascript" "@opentelemetry/resources@$javascript" \
    "@opentelemetry/exporter-metrics-otlp-grpc@$javascript_exporters" "@opentelemetry/exporter-metrics-otlp-http@$javascript_exporters" >&2
  touch "$dir/node/installed-$javascript"
fi
if [[ ! -e $dir/java/installed-$java ]]; then
  rm -rf "$dir/java"
  mkdir -p "$dir/java"
  cat > "$dir/java/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>auspex</groupId><artifactId>otel-clients</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>io.opentelemetry</groupId><artifactId>opentelemetry-sdk</artifactId><version>$java</version></dependency>
    <dependency><groupId>io.opentelemetry</groupId><artifactId>opentelemetry-exporter-otlp</artifactId><version>$java</version></dependency>
  </dependencies>
</project>
POM
  mvn -q -B -Dstyle.color=never -f "$dir/java/pom.xml" "-Dmaven.repo.local=$cache/maven" \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies "-DoutputDirectory=$dir/java/jars" >&2
  touch "$dir/java/installed-$java"
fi
printf 'OpenTelemetry SDKs: Python %s, JavaScript %s, Java %s\n' "$python" "$javascript" "$java" >&2
echo "$dir"
