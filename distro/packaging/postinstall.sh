#!/bin/sh
# $1 is "configure" for a deb, with the version that was configured before in $2. For an rpm, it is the number of
# versions that are installed now: 1 for an installation, 2 for an upgrade.
set -e
user=otelcol-auspex
state=/var/lib/otelcol-auspex
links=/etc/systemd/system/multi-user.target.wants

case "$1" in configure | 1 | 2) ;; *) exit 0 ;; esac

if ! getent passwd "$user" >/dev/null; then
	useradd --system --user-group --home-dir "$state" --no-create-home --shell /usr/sbin/nologin --comment 'Auspex collector' "$user"
	for group in adm systemd-journal; do # they may read /var/log and the journal
		if getent group "$group" >/dev/null; then usermod --append --groups "$group" "$user"; fi
	done
fi
install -d -o "$user" -g "$user" -m 0700 "$state"

# Debian starts a service that is installed. An rpm leaves that to the administrator.
if [ "$1" = configure ] && [ -z "$2" ] && command -v systemctl >/dev/null; then
	systemctl enable otelcol-auspex@default.service
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart 'otelcol-auspex@*.service' || true
	if [ "$1" = configure ]; then
		for link in "$links"/otelcol-auspex@*.service; do
			if [ -L "$link" ]; then deb-systemd-invoke start "${link##*/}" || true; fi
		done
	fi
fi
