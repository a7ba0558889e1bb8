#!/usr/bin/env bash
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# Bundles the page that draws Grafana panels from responses of the real backends,
# into e2e/out/dashboards: @grafana/data and @grafana/ui, without a Grafana server.
# Installs the modules into the cache of scripts/peers.sh. Needs Node 20 and npm.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
render=$root/e2e/dashboards/render
key=$(cat "$render/package.json" "$render/package-lock.json" | sha256sum | cut -c1-12)
dir=$("$root/scripts/peers.sh" path)/dashboards-$key

if [[ ! -e $dir/installed ]]; then
  rm -rf "$dir"
  mkdir -p "$dir"
  cp "$render/package.json" "$render/package-lock.json" "$dir"
  npm ci --prefix "$dir" --no-audit --no-fund --ignore-scripts --loglevel=error >&2
  touch "$dir/installed"
fi
ln -sfn "$dir/node_modules" "$render/node_modules"

cd "$render"
node_modules/.bin/esbuild page.jsx --bundle --minify --outfile="$root/e2e/out/dashboards/page/page.js" --loader:.ttf=empty --define:process.env.NODE_ENV='"production"' --log-level=error
cp page.html "$root/e2e/out/dashboards/page/index.html"
