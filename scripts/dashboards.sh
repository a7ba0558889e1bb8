#!/usr/bin/env bash
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# Bundles the page that draws Grafana panels from responses of the real backends,
# into e2e/out/dashboards: @grafana/data and @grafana/ui, without a Grafana server.
# Installs the modules with scripts/modules.sh. Needs Node 20 and npm.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
render=$root/e2e/dashboards/render
"$root/scripts/modules.sh" dashboards "$render"

cd "$render"
node_modules/.bin/esbuild page.jsx --bundle --minify --outfile="$root/e2e/out/dashboards/page/page.js" --loader:.ttf=empty --define:process.env.NODE_ENV='"production"' --log-level=error
cp page.html "$root/e2e/out/dashboards/page/index.html"
cp kibana.html "$root/e2e/out/dashboards/page/"
