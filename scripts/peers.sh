#!/usr/bin/env bash
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs the real servers that tests talk to, into a cache outside the tree:
# $AUSPEX_CACHE, else $XDG_CACHE_HOME/auspex, else ~/.cache/auspex. One folder
# per peer and version, so only the first run on a machine pays. Needs no root.
#
#   scripts/peers.sh prometheus     Prometheus and promtool; needs Go; 2 to 6 minutes the first time
#   scripts/peers.sh path           prints the folder that holds the peers
#
# The last line on standard output is the folder of the peer; progress goes to standard error.
set -euo pipefail

cache=${AUSPEX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/auspex}

# Prometheus 3.16 is the Go module v0.316.0.
prometheus_module=v0.316.0
prometheus_version=3.16.0

say() { printf '%s\n' "$*" >&2; }

# with_dots COMMAND...: runs it with a dot every ten seconds, so that a long build is seen to live.
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
# It appears under its name only when it is whole.
go_install() {
  local dir=$1 package=$2 name
  shift 2
  name=$(basename "${package%@*}")
  [[ -x $dir/$name ]] && return 0
  printf 'building %s ' "$package" >&2
  mkdir -p "$dir"
  local half
  half=$(mktemp -d "$dir/.building.XXXXXX")
  # From an empty folder: no module of ours may take part, nor its flags.
  if ! (cd "$half" && with_dots env -u GOFLAGS CGO_ENABLED=0 GOBIN="$half" go install -trimpath "$@" "$package"); then
    rm -rf "$half"
    return 1
  fi
  mv "$half/$name" "$dir/$name"
  rm -rf "$half"
}

prometheus() {
  local dir=$cache/prometheus-$prometheus_version
  # Service discoveries are most of Prometheus's build, and no test uses one.
  local flags=(-tags remove_all_sd,netgo -ldflags "-s -w -X github.com/prometheus/common/version.Version=$prometheus_version")
  go_install "$dir" "github.com/prometheus/prometheus/cmd/prometheus@$prometheus_module" "${flags[@]}"
  go_install "$dir" "github.com/prometheus/prometheus/cmd/promtool@$prometheus_module" "${flags[@]}"
  say "$("$dir/prometheus" --version 2>&1 | head -1)"
  echo "$dir"
}

case ${1:-help} in
  prometheus) prometheus ;;
  path) echo "$cache" ;;
  *)
    sed -n '5,13s/^# \{0,1\}//p' "$0"
    [[ ${1:-help} == help || ${1:-} == --help ]] || { say "unknown peer: $1"; exit 2; }
    ;;
esac
