#!/usr/bin/env bash
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs the engines that the end-to-end tests run the worker on, into the cache of
# scripts/peers.sh: PySpark from PyPI, which contains the servers of a standalone
# cluster. Needs Python 3 with venv, JDK 17 to run, 1 GB, and 3 minutes the first time.
#
#   scripts/engines.sh spark [3.5.8|4.3.0]    a virtual environment with PySpark, pandas, and PyArrow
#
# The last line on standard output is the folder of the environment; progress goes to standard error.
set -euo pipefail

cache=$("$(dirname "${BASH_SOURCE[0]}")"/peers.sh path)

# venv NAME PACKAGE...: installs packages into the environment NAME. It gets its mark only when complete.
venv() {
  local dir=$cache/engines/$1 mark
  shift
  mark=$dir/installed-$(printf '%s\n' "$@" | sha256sum | cut -c1-12)
  if [[ ! -e $mark ]]; then
    printf 'installing %s\n' "$*" >&2
    rm -rf "$dir"
    mkdir -p "$(dirname "$dir")"
    python3 -m venv "$dir" >&2
    "$dir/bin/pip" install --quiet --disable-pip-version-check "$@" >&2
    touch "$mark"
  fi
  echo "$dir"
}

# Spark 3.5 was released before pandas 3 and NumPy 2.
spark() {
  case ${1:-4.3.0} in
    3.5.8) venv spark-3.5.8 pyspark==3.5.8 'pandas==2.2.3' 'numpy==1.26.4' pyarrow==17.0.0 ;;
    4.3.0) venv spark-4.3.0 pyspark==4.3.0 'pandas<3' pyarrow 'protobuf>=6' ;;
    *) echo "Spark 3.5.8 or 4.3.0, not $1" >&2; return 2 ;;
  esac
}

case ${1:-help} in
  spark) spark "${2:-}" ;;
  *)
    sed -n '5,11s/^# \{0,1\}//p' "$0"
    [[ ${1:-help} == help || ${1:-} == --help ]] || { echo "unknown engine: $1" >&2; exit 2; }
    ;;
esac
