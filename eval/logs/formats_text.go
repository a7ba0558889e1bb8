// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
)

func access(method string, statuses ...string) func(*values) string {
	return func(v *values) string {
		return fmt.Sprintf(`%s - %s [%02d/Mar/2026:%s +0000] "%s %s HTTP/%s" %s %s "%s" "%s"`, v.address(), v.pick("-", v.user()), 1+v.n(28), v.clock(),
			method, v.path(), v.pick("1.0", "1.1", "2.0"), v.pick(statuses...), v.pick("-", strconv.Itoa(v.n(100_000))), v.pick("-", "https://"+v.host()+v.path()), v.pick("-", v.agent(), v.agent(), v.agent()))
	}
}

// accessFormat is the combined log format of Apache and nginx.
var accessFormat = format{name: "combined access", shapes: []func(*values) string{
	access("GET", "200", "304"), access("GET", "404"), access("GET", "500", "502"), access("POST", "200", "201"), access("POST", "400", "422"),
	access("HEAD", "200"), access("PUT", "200", "204"), access("DELETE", "204"), access("OPTIONS", "200"),
	func(v *values) string {
		return fmt.Sprintf(`%s - - [%02d/Mar/2026:%s +0000] "%s" 400 %d "-" "-"`, v.address(), 1+v.n(28), v.clock(), v.pick("-", `\x16\x03\x01`, `\x03\x00\x00/*\xE0`), v.n(500))
	},
}}

func nginxTail(v *values) string {
	s := fmt.Sprintf(`, client: %s, server: %s, request: "%s %s HTTP/1.1"`, v.address(), v.host(), v.pick("GET", "POST"), v.path())
	if v.n(2) == 0 {
		s += fmt.Sprintf(`, upstream: "http://%s:8080%s"`, v.address(), v.path())
	}
	s += fmt.Sprintf(`, host: "%s"`, v.host())
	if v.n(2) == 0 {
		s += fmt.Sprintf(`, referrer: "https://%s%s"`, v.host(), v.path())
	}
	return s
}

func nginx(level, text string) func(*values) string {
	return func(v *values) string {
		return fmt.Sprintf("2026/03/%02d %s [%s] %d#%d: *%d %s%s", 1+v.n(28), v.clock(), level, v.n(30_000), v.n(30_000), v.n(1<<20), text, nginxTail(v))
	}
}

func nginxPath(format string) func(*values) string {
	return func(v *values) string {
		return nginx("error", fmt.Sprintf(format, "/usr/share"+v.path()))(v)
	}
}

// nginxFormat is nginx' error log.
var nginxFormat = format{name: "nginx error", shapes: []func(*values) string{
	nginxPath(`open() "%s" failed (2: No such file or directory)`), nginxPath(`open() "%s" failed (13: Permission denied)`),
	nginxPath(`directory index of "%s" is forbidden`), nginxPath(`"%s" is not found (2: No such file or directory)`),
	nginx("error", "connect() failed (111: Connection refused) while connecting to upstream"),
	nginx("error", "upstream timed out (110: Connection timed out) while reading response header from upstream"),
	nginx("crit", "SSL_do_handshake() failed (SSL: error:14094416:SSL routines) while SSL handshaking to upstream"),
	nginx("warn", "an upstream response is buffered to a temporary file /var/cache/nginx/proxy_temp/1/23/0000000231 while reading upstream"),
	func(v *values) string {
		return nginx("error", fmt.Sprintf("client intended to send too large body: %d bytes", v.n(1<<30)))(v)
	},
	func(v *values) string {
		return nginx("error", fmt.Sprintf(`FastCGI sent in stderr: "PHP message: %s"`, v.sentence()))(v)
	},
}}

// syslogFormat is RFC 3164 in the form of log files.
var syslogFormat = format{
	name: "syslog",
	head: func(v *values) string { return fmt.Sprintf("Mar %2d %s %s ", 1+v.n(28), v.clock(), v.host()) },
	shapes: []func(*values) string{
		func(v *values) string {
			return fmt.Sprintf("sshd[%d]: Accepted password for %s from %s port %d ssh2", v.n(30_000), v.user(), v.address(), v.n(65536))
		},
		func(v *values) string {
			return fmt.Sprintf("sshd[%d]: Failed password for %s from %s port %d ssh2", v.n(30_000), v.user(), v.address(), v.n(65536))
		},
		func(v *values) string {
			return fmt.Sprintf("sudo: %s : TTY=pts/%d ; PWD=%s ; USER=root ; COMMAND=%s %s", v.user(), v.n(9), v.path(), v.path(), v.user())
		},
		func(v *values) string {
			return fmt.Sprintf("CRON[%d]: (%s) CMD (%s %s)", v.n(30_000), v.user(), v.path(), v.path())
		},
		func(v *values) string {
			return fmt.Sprintf("kernel: [%d.%06d] usb %d-%d: new high-speed USB device number %d using xhci_hcd", v.n(99_999), v.n(1_000_000), v.n(4), v.n(9), v.n(128))
		},
		func(v *values) string {
			return fmt.Sprintf("kernel: [%d.%06d] Out of memory: Killed process %d (%s) total-vm:%dkB", v.n(99_999), v.n(1_000_000), v.n(30_000), v.user(), v.n(1<<24))
		},
		func(v *values) string {
			return fmt.Sprintf("postfix/smtp[%d]: %X: to=<%s@%s.example.com>, relay=%s[%s]:25, delay=%d.%d, status=sent (250 2.0.0 Ok: queued as %X)", v.n(30_000), v.rng.Uint32(), v.user(), v.user(), v.host(), v.address(), v.n(9), v.n(9), v.rng.Uint32())
		},
		func(v *values) string { return fmt.Sprintf("worker[%d]: %s", v.n(30_000), v.sentence()) },
		func(v *values) string {
			return fmt.Sprintf("dhclient[%d]: DHCPACK from %s (%s)", v.n(30_000), v.address(), v.host())
		},
		func(v *values) string {
			return fmt.Sprintf("backup: copied %s of %s to %s in %d s", v.size(), v.path(), v.host(), v.n(900))
		},
	},
}

// journaldFormat is the short output format of journalctl.
var journaldFormat = format{
	name: "journald",
	head: func(v *values) string { return fmt.Sprintf("Mar %02d %s %s ", 1+v.n(28), v.clock(), v.host()) },
	shapes: []func(*values) string{
		func(v *values) string {
			return fmt.Sprintf("systemd[1]: Started Session %d of user %s.", v.n(9999), v.user())
		},
		func(v *values) string {
			return fmt.Sprintf("systemd[1]: Stopped Session %d of user %s.", v.n(9999), v.user())
		},
		func(v *values) string { return fmt.Sprintf("systemd[1]: Mounted %s.", v.path()) },
		func(v *values) string {
			return fmt.Sprintf("systemd[1]: %s.service: Main process exited, code=exited, status=%d/FAILURE", v.user(), v.n(255))
		},
		func(v *values) string {
			return fmt.Sprintf("systemd-logind[%d]: New session %d of user %s.", v.n(9999), v.n(9999), v.user())
		},
		func(v *values) string {
			return fmt.Sprintf("NetworkManager[%d]: <info>  [%d.%04d] device (%s%d): state change: disconnected -> prepare (reason 'none', sys-iface-state: 'managed')", v.n(9999), v.n(1<<30), v.n(9999), v.pick("eth", "wlan"), v.n(9))
		},
		func(v *values) string {
			return fmt.Sprintf("dockerd[%d]: time=\"2026-03-%02dT%sZ\" level=warning msg=\"%s\" container=%s", v.n(9999), 1+v.n(28), v.clock(), v.sentence(), v.uuid())
		},
		func(v *values) string {
			return fmt.Sprintf("audit[%d]: USER_LOGIN pid=%d uid=0 auid=%d ses=%d msg='op=login acct=\"%s\" exe=\"%s\" hostname=%s addr=%s terminal=ssh res=success'", v.n(9999), v.n(9999), v.n(9999), v.n(9999), v.user(), v.path(), v.host(), v.address())
		},
		func(v *values) string { return fmt.Sprintf("shop[%d]: %s", v.n(9999), v.sentence()) },
		func(v *values) string {
			return fmt.Sprintf("systemd-networkd[%d]: %s: Gained carrier, %s of buffers", v.n(9999), v.host(), v.size())
		},
	},
}
