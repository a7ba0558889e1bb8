#!/usr/bin/env bash
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# Tests the files in bin/packages, as `make e2e-packages` does: in a chroot of Debian, with rpm's own tools, and
# under qemu-user. Needs root on Debian, with debootstrap, rpm, qemu-user-static, openssl, and util-linux.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=$PWD/bin/packages
cache=${AUSPEX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/auspex}
suite=bookworm
work=$(mktemp -d /var/tmp/auspex-packages.XXXXXX) # a chroot needs devices, which /tmp may forbid
root=$work/root
trap 'rm -rf "$work"' EXIT

fail() {
  echo "FAIL: $*" >&2
  exit 1
}

step() { printf '%s  %s\n' "$(date -u +%H:%M:%S)" "$*"; }

# one prints the only file that matches.
one() {
  [[ $# = 1 && -e $1 ]] || fail "expected one file, got: $*"
  echo "$1"
}

# inside runs a command in the chroot, with processes and a network of its own, so that its ports are free.
inside() {
  unshare --net --pid --mount --fork --kill-child -- bash -euc 'ip link set lo up; mount -t proc proc "$1/proc"; exec chroot "$@"' bash "$root" \
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"
}

# as_service runs a command as the unit does: as the package's user, with the state folder of the unit.
as_service() {
  inside setpriv --reuid=otelcol-auspex --regid=otelcol-auspex --init-groups \
    env HOME=/var/lib/otelcol-auspex AUSPEX_STATE_DIR=/var/lib/otelcol-auspex/default "$@"
}

exists() { [[ -e $root$1 || -L $root$1 ]] || fail "$1 is missing"; }
absent() { [[ ! -e $root$1 && ! -L $root$1 ]] || fail "$1 still exists"; }

new_root() {
  local base=$cache/debian-$suite.tar
  if [[ ! -e $base ]]; then
    mkdir -p "$cache"
    debootstrap --variant=minbase --include=systemd,init-system-helpers,iproute2 "$suite" "$work/base" >"$work/debootstrap.log" || fail "debootstrap: $(tail -3 "$work/debootstrap.log")"
    tar -C "$work/base" -cf "$base.part" . && mv "$base.part" "$base"
    rm -rf "$work/base"
  fi
  rm -rf "$root"
  mkdir "$root"
  tar -C "$root" -xf "$base"
}

# start runs ExecStart of the unit until the collector is ready, then the commands on standard input.
start() {
  local exec_start
  exec_start=$(sed -n 's/^ExecStart=//p' "$root/usr/lib/systemd/system/otelcol-auspex@.service")
  as_service sh -euc "${exec_start//%i/default} >/tmp/collector.log 2>&1 & trap 'kill \$!; wait \$! || true' EXIT
    for _ in \$(seq 100); do otelcol-auspex health >/dev/null 2>&1 && break; sleep .1; done
    otelcol-auspex health || { tail -5 /tmp/collector.log; exit 1; }
    $(cat)"
}

checksums() {
  step "checksums and their signature"
  (cd "$packages" && sha256sum --check --quiet SHA256SUMS && openssl dgst -sha256 -verify SHA256SUMS.pub -signature SHA256SUMS.sig SHA256SUMS)
}

deb() {
  local file old modified=/etc/otelcol-auspex/agent.env unmodified=/etc/otelcol-auspex/gateway.yaml
  file=$(one "$packages"/*_linux_amd64.deb)
  step "debootstrap"
  new_root

  step "make an older version: other programs, another conffile"
  old=$work/old
  dpkg-deb -R "$file" "$old"
  sed -i 's/^Version: .*/Version: 0.0.9/' "$old/DEBIAN/control"
  echo '# 0.0.9' >>"$old$unmodified"
  (cd "$old" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | xargs -0 md5sum >DEBIAN/md5sums)
  dpkg-deb -b -Zgzip -z1 "$old" "$root/old.deb" >/dev/null
  rm -rf "$old"
  cp "$file" "$root/new.deb"

  step "install"
  inside dpkg -i /old.deb >/dev/null
  for unit in default agent gateway; do inside systemd-analyze verify "otelcol-auspex@$unit.service"; done
  exists /etc/systemd/system/multi-user.target.wants/otelcol-auspex@default.service
  absent /etc/systemd/system/multi-user.target.wants/otelcol-auspex@agent.service
  [[ $(stat -c '%U %a' "$root/etc/otelcol-auspex/agent.env") = 'root 600' ]] || fail "agent.env is readable by others"

  step "run ExecStart as the package's user, and learn something"
  start <<<"auspex silence add --service checkout --for 24h --why kept"
  exists /var/lib/otelcol-auspex/default/engine

  step "upgrade: changed conffiles, state, and the enabled services stay"
  echo AUSPEX_GATEWAY=gateway.example:4317 >>"$root$modified"
  inside dpkg --force-confdef --force-confold -i /new.deb >/dev/null
  grep -q gateway.example "$root$modified" || fail "the upgrade replaced $modified"
  ! grep -q 0.0.9 "$root$unmodified" || fail "the upgrade did not replace $unmodified"
  start <<<"auspex silence list" | tee >(cat >&2) | grep -q checkout || fail "the silence is gone after the upgrade"

  step "a folder without permissions, a port in use, wrong usage"
  local out code
  out=$(inside setpriv --reuid=65534 --regid=65534 --clear-groups env AUSPEX_STATE_DIR=/var/lib/otelcol-auspex/default otelcol-auspex 2>&1) && fail "it started without access to its state"
  echo "$out" | tail -1 | tee >(cat >&2) | grep -q 'has no access to /var/lib/otelcol-auspex' || fail "no advice about permissions: $out"
  start <<<"if AUSPEX_HEALTH=127.0.0.1:1 AUSPEX_STATE_DIR=/tmp/second otelcol-auspex >/tmp/second.log 2>&1; then exit 1; fi; tail -1 /tmp/second.log; grep -q 'Another process listens on' /tmp/second.log"
  for line in '--no-such-flag' 'no-such-command'; do
    code=0
    inside otelcol-auspex "$line" >/dev/null 2>&1 || code=$?
    [[ $code = 2 ]] || fail "otelcol-auspex $line: exit code $code"
    code=0
    inside auspex "$line" >/dev/null 2>&1 || code=$?
    [[ $code = 2 ]] || fail "auspex $line: exit code $code"
  done

  step "remove: configuration, state, user, and links to enabled services stay"
  inside dpkg -r otelcol-auspex >/dev/null
  absent /usr/bin/otelcol-auspex
  absent /usr/lib/systemd/system/otelcol-auspex@.service
  for kept in /etc/otelcol-auspex/default.yaml "$modified" /var/lib/otelcol-auspex/default/engine /etc/systemd/system/multi-user.target.wants/otelcol-auspex@default.service; do exists "$kept"; done

  step "purge: nothing stays"
  inside dpkg -P otelcol-auspex >/dev/null
  for gone in /etc/otelcol-auspex /var/lib/otelcol-auspex /usr/share/doc/otelcol-auspex /etc/systemd/system/multi-user.target.wants/otelcol-auspex@default.service; do absent "$gone"; done
  ! grep -q otelcol-auspex "$root/etc/passwd" || fail "the user still exists"
}

# first_incident measures the time from the package to an incident. It runs the demo in a day of simulated history.
first_incident() {
  local folder
  step "from the deb to an incident, in a new chroot"
  new_root
  cp "$(one "$packages"/*_linux_amd64.deb)" "$root/new.deb"
  time inside dpkg -i /new.deb >/dev/null
  time inside env CI=true SEED=7 TMPDIR=/tmp auspex-demo

  step "from the archive to an incident, as an ordinary user"
  folder=$root/home/user
  mkdir "$folder" && cp "$(one "$packages"/*_linux_amd64.tar.gz)" "$folder/auspex.tar.gz" && chown -R 1000:1000 "$folder"
  local user=(inside setpriv --reuid=1000 --regid=1000 --clear-groups env HOME=/home/user)
  time "${user[@]}" sh -c 'cd && mkdir auspex && tar -C auspex --strip-components=1 -xzf auspex.tar.gz'
  time "${user[@]}" env CI=true SEED=7 /home/user/auspex/auspex-demo
}

rpm_package() {
  local file db=/usr/lib/sysimage/rpm
  file=$(one "$packages"/*_linux_amd64.rpm)
  step "rpm: contents, digests, installation, removal"
  rpm -K --nosignature "$file"
  rpm -qlp "$file"
  rpm -qp --requires --scripts "$file" | grep -q useradd || fail "the rpm does not need useradd"
  [[ $(rpm -qcp "$file" | wc -l) -ge 12 ]] || fail "the rpm has too few configuration files"
  new_root
  mkdir -p "$root$db"
  local rpm=(rpm --root "$root" --dbpath "$db" --nodeps)
  "${rpm[@]}" --ignoreos -i "$file"
  absent /etc/systemd/system/multi-user.target.wants/otelcol-auspex@default.service
  start <<<"auspex incidents"
  echo AUSPEX_GATEWAY=gateway.example:4317 >>"$root/etc/otelcol-auspex/agent.env"
  "${rpm[@]}" --ignoreos -U --replacepkgs "$file"
  grep -q gateway.example "$root/etc/otelcol-auspex/agent.env" || fail "the upgrade replaced agent.env"
  "${rpm[@]}" -e otelcol-auspex
  absent /usr/bin/otelcol-auspex
  absent /etc/otelcol-auspex/default.yaml
  exists /etc/otelcol-auspex/agent.env.rpmsave
  exists /var/lib/otelcol-auspex/default/engine
}

emulated() {
  local archive
  for archive in "$packages"/*_linux_arm64.tar.gz; do
    [[ -e $archive ]] || { step "no arm64 archive: not built"; return; }
    step "arm64 under qemu-user"
    mkdir "$work/arm64" && tar -C "$work/arm64" --strip-components=1 -xzf "$archive"
    qemu-aarch64-static "$work/arm64/auspex" version
    qemu-aarch64-static "$work/arm64/otelcol-auspex" --version
    qemu-aarch64-static "$work/arm64/otelcol-auspex" validate --config=auspex:default
  done
}

checksums
deb
rpm_package
emulated
first_incident
step "1 passed, 0 failed"
