#!/usr/bin/env bash
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs the real servers that tests talk to, into a cache outside the tree:
# $AUSPEX_CACHE, else $XDG_CACHE_HOME/auspex, else ~/.cache/auspex. One folder
# per peer and version, so only the first run on a machine is slow. Needs no root privileges.
#
#   scripts/peers.sh prometheus     Prometheus and promtool; needs Go; 2 to 6 minutes the first time
#   scripts/peers.sh elasticsearch [8|9]
#                                   Elasticsearch from Maven jars; needs a JDK (17 for 8, 21 for 9), Maven, unzip; 1 to 3 minutes the first time
#   scripts/peers.sh filebeat       Filebeat 7.17; needs Go; 5 to 10 minutes the first time
#   scripts/peers.sh hotrod         HotROD, the example application of Jaeger 1.76; needs Go; 1 to 3 minutes the first time
#   scripts/peers.sh prism          Prism 2.77, a runner of Apache Beam; needs Go; 1 to 4 minutes the first time
#   scripts/peers.sh kafka          Kafka from Maven jars; needs a JDK 17 and Maven; 1 minute the first time
#   scripts/peers.sh flink [1.20|2] Flink from Maven jars; needs a JDK 17 and Maven; 1 minute the first time
#   scripts/peers.sh alertmanager   Debian's Alertmanager 0.25, unpacked; needs apt-get, dpkg-deb; seconds
#   scripts/peers.sh path           prints the folder that holds the peers
#
# The last line on standard output is the folder of the peer; progress goes to standard error.
set -euo pipefail

cache=${AUSPEX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/auspex}

# Prometheus 3.16 is the Go module v0.316.0.
prometheus_module=v0.316.0
prometheus_version=3.16.0

filebeat_version=7.17.29

hotrod_version=1.76.0

prism_version=2.77.0

kafka_version=4.4.0

flink_1_20=1.20.5
flink_2=2.3.0

# The version in Debian 12.
alertmanager_version=0.25.0

elasticsearch_8=8.19.21
elasticsearch_9=9.5.3

say() { printf '%s\n' "$*" >&2; }

# with_dots COMMAND...: runs a command and prints a dot every ten seconds as progress.
with_dots() {
  "$@" >&2 &
  local job=$! started=$SECONDS
  while kill -0 "$job" 2>/dev/null; do
    sleep 1
    (( (SECONDS - started) % 10 == 9 )) && printf '.' >&2
  done
  wait "$job" || { say " failed"; return 1; }
  say " $((SECONDS - started)) s"
}

# go_install DIR PACKAGE@VERSION [FLAG...]: builds a program into DIR unless it is there.
# It gets its final name only when complete.
go_install() {
  local dir=$1 package=$2 name
  shift 2
  name=$(basename "${package%@*}")
  [[ -x $dir/$name ]] && return 0
  printf 'building %s ' "$package" >&2
  mkdir -p "$dir"
  local half
  half=$(mktemp -d "$dir/.building.XXXXXX")
  # Run in an empty folder, without a module of this repository and its flags.
  if ! (cd "$half" && with_dots env -u GOFLAGS CGO_ENABLED=0 GOBIN="$half" go install -trimpath "$@" "$package"); then
    rm -rf "$half"
    return 1
  fi
  mv "$half/$name" "$dir/$name"
  rm -rf "$half"
}

prometheus() {
  local dir=$cache/prometheus-$prometheus_version
  # Service discoveries are most of Prometheus's build time, and no test uses them.
  local flags=(-tags remove_all_sd,netgo -ldflags "-s -w -X github.com/prometheus/common/version.Version=$prometheus_version")
  go_install "$dir" "github.com/prometheus/prometheus/cmd/prometheus@$prometheus_module" "${flags[@]}"
  go_install "$dir" "github.com/prometheus/prometheus/cmd/promtool@$prometheus_module" "${flags[@]}"
  say "$("$dir/prometheus" --version 2>&1 | head -1)"
  echo "$dir"
}

# build_tool NAME VERSION PACKAGE: builds a program from the module internal/tools/NAME, and prints its folder.
# `go install` ignores the replacements and pinned versions that the program needs.
build_tool() {
  local module dir half
  module=$(cd "$(dirname "${BASH_SOURCE[0]}")/../internal/tools/$1" && pwd)
  dir=$cache/$1-$2
  if [[ ! -x $dir/$1 ]]; then
    printf 'building %s %s ' "$1" "$2" >&2
    mkdir -p "$dir"
    half=$(mktemp -d "$dir/.building.XXXXXX")
    if ! with_dots env -u GOFLAGS CGO_ENABLED=0 go -C "$module" build -trimpath -buildvcs=false -ldflags '-s -w' -o "$half/$1" "$3"; then
      rm -rf "$half"
      return 1
    fi
    mv "$half/$1" "$dir/$1"
    rm -rf "$half"
  fi
  echo "$dir"
}

filebeat() {
  build_tool filebeat "$filebeat_version" github.com/elastic/beats/v7/filebeat
}

# hotrod: the module that has it is versioned as Jaeger is.
hotrod() {
  build_tool hotrod "$hotrod_version" github.com/jaegertracing/jaeger/examples/hotrod
}

prism() {
  build_tool prism "$prism_version" github.com/apache/beam/sdks/v2/go/cmd/prism
}

# alertmanager: Debian's program reads its templates from /usr/share, where nothing is
# installed. The path is replaced with a relative one of the same length.
alertmanager() {
  local dir=$cache/alertmanager-$alertmanager_version half
  if [[ ! -x $dir/alertmanager ]]; then
    mkdir -p "$cache"
    half=$(mktemp -d "$cache/.alertmanager.XXXXXX")
    if ! install_alertmanager "$half"; then
      rm -rf "$half"
      say "Debian's package prometheus-alertmanager $alertmanager_version cannot be unpacked: it needs apt-get, dpkg-deb, and package lists (apt-get update)"
      return 1
    fi
    rm -rf "$dir"
    mv "$half" "$dir"
  fi
  say "$("$dir/alertmanager" --version 2>&1 | head -1)"
  echo "$dir"
}

# install_alertmanager DIR
install_alertmanager() {
  local package="prometheus-alertmanager_$alertmanager_version"
  (cd "$1" && apt-get download -qq prometheus-alertmanager >&2 2>/dev/null) || return 1
  dpkg-deb -x "$1/$package"*.deb "$1" || return 1
  rm "$1/$package"*.deb
  LC_ALL=C sed -i 's#/usr/share/prometheus/alertmanager#usr//share/prometheus/alertmanager#g' "$1/usr/bin/prometheus-alertmanager" || return 1
  printf '#!/bin/sh\ncd "$(dirname "$0")" && exec usr/bin/prometheus-alertmanager "$@"\n' > "$1/alertmanager"
  chmod +x "$1/alertmanager"
}

# find_jdk VERSION: prints the home of the first JDK found that is at least that new.
find_jdk() {
  local home version
  for home in "${JAVA_HOME:-}" "$(dirname "$(dirname "$(readlink -f "$(command -v javac || true)")")")" /usr/lib/jvm/*; do
    [[ -n $home && -x $home/bin/javac ]] || continue
    version=$("$home/bin/javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
    (( ${version:-0} >= $1 )) && { echo "$home"; return 0; }
  done
  say "no JDK $1 or newer: set JAVA_HOME to one"
  return 1
}

# elasticsearch MAJOR: installs the server's jars, its HTTP module, and a launcher,
# which is compiled here because no distribution is published as a jar.
elasticsearch() {
  local version jdk sources
  case ${1:-8} in
    8) version=$elasticsearch_8; jdk=$(find_jdk 17) ;;
    9) version=$elasticsearch_9; jdk=$(find_jdk 21) ;;
    *) say "Elasticsearch 8 or 9, not $1"; return 2 ;;
  esac
  local major=${version%%.*} dir=$cache/elasticsearch-$version
  sources=$(cd "$(dirname "${BASH_SOURCE[0]}")/elasticsearch" && pwd)
  if [[ ! -x $dir/elasticsearch ]]; then
    mkdir -p "$cache"
    local half
    half=$(mktemp -d "$cache/.elasticsearch.XXXXXX")
    if ! install_elasticsearch "$half" "$version" "$jdk" "$sources" "$sources/$major"; then
      rm -rf "$half"
      return 1
    fi
    rm -rf "$dir"
    mv "$half" "$dir"
  fi
  say "Elasticsearch $version, started by $dir/elasticsearch"
  echo "$dir"
}

# install_elasticsearch DIR VERSION JDK SOURCES MAJOR_SOURCES
install_elasticsearch() {
  local dir=$1 version=$2 jdk=$3 netty=$1/home/modules/transport-netty4 stubs=$1/home/modules/auspex-stubs jar
  mkdir -p "$dir"/{jars,lib,classes,stubs} "$netty" "$stubs" "$dir"/home/{plugins,config}
  printf 'fetching Elasticsearch %s ' "$version" >&2
  with_dots mvn -q -B -Dstyle.color=never -f "$4/pom.xml" "-Delasticsearch.version=$version" "-Dmaven.repo.local=$cache/maven" \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies "-DoutputDirectory=$dir/jars" || return 1
  unzip -qo -j "$dir/jars/transport-netty4-$version.jar" 'META-INF/es-plugins/transport-netty4/*' -d "$netty" || return 1
  for jar in "$dir"/jars/*.jar; do
    case ${jar##*/} in
      transport-netty4-* | netty-* | elasticsearch-ssl-config-*) mv "$jar" "$netty/" ;;
      *) mv "$jar" "$dir/lib/" ;;
    esac
  done
  # Without a module name the jars are loaded from the class path.
  sed -i 's/^modulename=.*/modulename=/' "$netty/plugin-descriptor.properties" || return 1
  sed -e 's/^name=.*/name=auspex-stubs/' -e 's/^classname=.*/classname=auspex.StubPlugin/' \
    "$netty/plugin-descriptor.properties" > "$stubs/plugin-descriptor.properties" || return 1
  "$jdk/bin/javac" -nowarn -cp "$dir/lib/*" -d "$dir/classes" "$4/both/Launcher.java" "$5/Bundles.java" >&2 || return 1
  "$jdk/bin/javac" -nowarn -cp "$dir/lib/*" -d "$dir/stubs" "$4/both/Stubs.java" "$5/StubPlugin.java" >&2 || return 1
  "$jdk/bin/jar" cf "$stubs/auspex-stubs.jar" -C "$dir/stubs" . || return 1
  rm -rf "$dir/jars" "$dir/stubs"
  ln -s "$jdk" "$dir/jdk" || return 1
  cp "$4/log4j2.properties" "$4/elasticsearch" "$dir/"
}

# from_maven NAME VERSION TITLE: installs the jars of scripts/NAME/pom.xml, which has the version as NAME.version, and
# the launcher scripts/NAME/NAME.
from_maven() {
  local jdk dir=$cache/$1-$2 sources half
  jdk=$(find_jdk 17)
  sources=$(cd "$(dirname "${BASH_SOURCE[0]}")/$1" && pwd)
  if [[ ! -x $dir/$1 ]]; then
    mkdir -p "$cache"
    half=$(mktemp -d "$cache/.$1.XXXXXX")
    printf 'fetching %s %s ' "$3" "$2" >&2
    if ! with_dots mvn -q -B -Dstyle.color=never -f "$sources/pom.xml" "-D$1.version=$2" "-Dmaven.repo.local=$cache/maven" \
      org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies -DincludeScope=runtime "-DoutputDirectory=$half/lib"; then
      rm -rf "$half"
      return 1
    fi
    ln -s "$jdk" "$half/jdk"
    cp "$sources/$1" "$half/"
    rm -rf "$dir"
    mv "$half" "$dir"
  fi
  say "$3 $2, started by $dir/$1"
  echo "$dir"
}

# flink RELEASE
flink() {
  case ${1:-2} in
    1.20) from_maven flink "$flink_1_20" Flink ;;
    2) from_maven flink "$flink_2" Flink ;;
    *) say "Flink 1.20 or 2, not $1"; return 2 ;;
  esac
}

case ${1:-help} in
  prometheus) prometheus ;;
  filebeat) filebeat ;;
  hotrod) hotrod ;;
  prism) prism ;;
  alertmanager) alertmanager ;;
  elasticsearch) elasticsearch "${2:-8}" ;;
  kafka) from_maven kafka "$kafka_version" Kafka ;;
  flink) flink "${2:-2}" ;;
  path) echo "$cache" ;;
  *)
    sed -n '5,20s/^# \{0,1\}//p' "$0"
    [[ ${1:-help} == help || ${1:-} == --help ]] || { say "unknown peer: $1"; exit 2; }
    ;;
esac
