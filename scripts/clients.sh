#!/usr/bin/env bash
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs the clients that the end-to-end tests send with, into the cache of
# scripts/peers.sh: pylogbeat and elasticsearch from PyPI, lumberjack-client from
# npm, and rsyslog with omelasticsearch from Debian if apt-get is available. Needs
# Python 3 and npm, no root privileges, and 20 seconds the first time.
#
# The last line on standard output is their folder; progress goes to standard error.
set -euo pipefail

pylogbeat=2.1.0
elasticsearch=9.5.1
lumberjack_client=1.0.3

dir=$("$(dirname "${BASH_SOURCE[0]}")"/peers.sh path)/lumberjack-clients

# They get their final names only when complete.
if [[ ! -e $dir/python/installed-$pylogbeat ]]; then
  rm -rf "$dir/python"
  mkdir -p "$dir"
  python3 -m venv "$dir/python" >&2
  "$dir/python/bin/pip" install --quiet --disable-pip-version-check "pylogbeat==$pylogbeat" >&2
  touch "$dir/python/installed-$pylogbeat"
fi
if [[ ! -e $dir/python/installed-elasticsearch-$elasticsearch ]]; then
  "$dir/python/bin/pip" install --quiet --disable-pip-version-check "elasticsearch==$elasticsearch" >&2
  touch "$dir/python/installed-elasticsearch-$elasticsearch"
fi
# Unpacked instead of installed, so that the machine's own syslog does not change.
if [[ ! -x $dir/rsyslog/usr/sbin/rsyslogd ]] && command -v apt-get dpkg-deb >/dev/null; then
  half=$(mktemp -d "$dir/.rsyslog.XXXXXX")
  (cd "$half" && apt-get download -qq rsyslog rsyslog-elasticsearch libestr0 libfastjson4 liblognorm5 libcurl4 >&2 2>/dev/null)
  for package in "$half"/*.deb; do dpkg-deb -x "$package" "$half/root"; done
  rm -rf "$dir/rsyslog"
  mv "$half/root" "$dir/rsyslog"
  rm -rf "$half"
fi
if [[ ! -e $dir/node/installed-$lumberjack_client ]]; then
  rm -rf "$dir/node"
  mkdir -p "$dir/node"
  npm install --prefix "$dir/node" --no-audit --no-fund --ignore-scripts --loglevel=error "lumberjack-client@$lumberjack_client" >&2
  touch "$dir/node/installed-$lumberjack_client"
fi
printf 'pylogbeat %s, elasticsearch %s, lumberjack-client %s\n' "$pylogbeat" "$elasticsearch" "$lumberjack_client" >&2
echo "$dir"
