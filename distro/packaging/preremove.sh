#!/bin/sh
# $1 is "remove" for a deb, and 0 for an rpm, if no other version follows.
set -e
case "$1" in remove | 0) ;; *) exit 0 ;; esac

if [ -d /run/systemd/system ]; then
	systemctl stop 'otelcol-auspex@*.service' || true
fi
# A deb keeps the links until it is purged, so that a new installation starts the same services.
if [ "$1" = 0 ]; then
	rm -f /etc/systemd/system/*.wants/otelcol-auspex@*.service
fi
