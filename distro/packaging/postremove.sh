#!/bin/sh
# $1 is "remove" or "purge" for a deb, and 0 for an rpm, if no other version follows. An rpm has no purge: it keeps the
# state and the user.
set -e
case "$1" in remove | purge | 0) ;; *) exit 0 ;; esac

if [ "$1" = purge ]; then
	rm -f /etc/systemd/system/*.wants/otelcol-auspex@*.service
	rm -rf /var/lib/otelcol-auspex
	if getent passwd otelcol-auspex >/dev/null; then userdel otelcol-auspex; fi
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
