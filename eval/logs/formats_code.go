// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"strings"
)

func pod(v *values) string {
	return fmt.Sprintf("%s/%s-%s-%s", v.user(), v.user(), strings.ReplaceAll(fmt.Sprintf("%09x", v.n(1<<30)), "a", "x"), v.user()[:5])
}

// klogFormat is the log of Kubernetes' components, plain and structured.
var klogFormat = format{
	name: "klog",
	head: func(v *values) string {
		return fmt.Sprintf("%s03%02d %s.%06d %7d ", v.pick("I", "W", "E"), 1+v.n(28), v.clock(), v.n(1_000_000), v.n(99_999))
	},
	shapes: []func(*values) string{
		func(v *values) string {
			return fmt.Sprintf(`kubelet.go:%d] "SyncLoop ADD" source="api" pods=["%s"]`, v.n(2500), pod(v))
		},
		func(v *values) string {
			return fmt.Sprintf(`kubelet.go:%d] "SyncLoop DELETE" source="api" pods=["%s"]`, v.n(2500), pod(v))
		},
		func(v *values) string {
			return fmt.Sprintf(`prober.go:%d] "Probe failed" probeType="Readiness" pod="%s" containerName="%s" probeResult="failure" output="HTTP probe failed with statuscode: %d"`, v.n(300), pod(v), v.user(), 500+v.n(5))
		},
		func(v *values) string {
			return fmt.Sprintf(`pod_workers.go:%d] "Error syncing pod, skipping" err="failed to \"StartContainer\" for \"%s\" with CrashLoopBackOff: \"back-off %ds restarting failed container=%s\"" pod="%s"`, v.n(900), v.user(), v.n(300), v.user(), pod(v))
		},
		func(v *values) string {
			return fmt.Sprintf(`reconciler.go:%d] operationExecutor.VerifyControllerAttachedVolume started for volume "%s" (UniqueName: "kubernetes.io/configmap/%s-%s") pod "%s" (UID: "%s")`, v.n(900), v.user(), v.uuid(), v.user(), v.user(), v.uuid())
		},
		func(v *values) string { return fmt.Sprintf(`controller.go:%d] %s`, v.n(900), v.sentence()) },
		func(v *values) string {
			return fmt.Sprintf(`trace.go:%d] Trace[%d]: "Get" url:%s,user-agent:%s,client:%s (total time: %dms):`, v.n(300), v.n(1<<30), v.path(), v.agent(), v.address(), v.n(9999))
		},
		func(v *values) string {
			return fmt.Sprintf(`node.go:%d] Node %s has been %s, size %s`, v.n(300), v.host(), "cordoned", v.size())
		},
		func(v *values) string {
			return fmt.Sprintf(`kubelet.go:%d] "Container started" pod="%s" containerID="%s"`, v.n(2500), pod(v), v.uuid())
		},
		func(v *values) string {
			return fmt.Sprintf(`kubelet.go:%d] "Container stopped" pod="%s" containerID="%s"`, v.n(2500), pod(v), v.uuid())
		},
	},
}

// java returns a shape with a message from text and random stack frames.
func java(class, method string, text func(*values) string) func(*values) string {
	return func(v *values) string {
		var b strings.Builder
		fmt.Fprintf(&b, "2026-03-%02d %s,%03d ERROR [http-nio-8080-exec-%d] com.example.%s - %s\njava.lang.%s: %s\n", 1+v.n(28), v.clock(), v.n(1000), v.n(200), class, "request failed", "IllegalStateException", text(v))
		for _, m := range []string{method, "handle", "service", "doFilter", "run"} {
			fmt.Fprintf(&b, "\tat com.example.%s.%s(%s.java:%d)\n", class, m, class, v.n(999))
		}
		if v.n(2) == 0 {
			fmt.Fprintf(&b, "\t... %d more\n", v.n(90))
		}
		return b.String()
	}
}

func sentenceOf(v *values) string { return v.sentence() }

var javaFormat = format{name: "Java stack trace", shapes: []func(*values) string{
	java("Cart", "add", sentenceOf), java("Cart", "remove", sentenceOf), java("Cart", "price", func(v *values) string { return "no price for " + v.user() }),
	java("Login", "check", func(v *values) string { return "user " + v.user() + " is locked on " + v.host() }), java("Login", "renew", sentenceOf),
	java("Store", "open", func(v *values) string { return v.path() + " (No such file or directory)" }),
	java("Store", "save", func(v *values) string { return "only " + v.size() + " left of " + v.size() }),
	java("Client", "connect", func(v *values) string { return "Connect to " + v.host() + ":8080 [" + v.address() + "] timed out" }),
	java("Client", "send", func(v *values) string { return fmt.Sprintf(`Unexpected answer "%s" from %s`, v.sentence(), v.host()) }),
	java("Parser", "parse", func(v *values) string {
		return fmt.Sprintf("Unrecognized token '%s': was expecting (JSON String, Number) at [line: %d, column: %d]", v.user(), v.n(99), v.n(99))
	}),
}}

func python(function, class string, text func(*values) string) func(*values) string {
	return func(v *values) string {
		var b strings.Builder
		b.WriteString("Traceback (most recent call last):\n")
		for _, f := range []string{"main", "handle", function} {
			fmt.Fprintf(&b, "  File \"/srv%s/app.py\", line %d, in %s\n    result = %s(request)\n", v.path(), v.n(900), f, function)
		}
		fmt.Fprintf(&b, "%s: %s", class, text(v))
		return b.String()
	}
}

var pythonFormat = format{name: "Python stack trace", shapes: []func(*values) string{
	python("load", "KeyError", func(v *values) string { return "'" + v.user() + "'" }), python("parse", "ValueError", func(v *values) string { return "invalid literal for int() with base 10: '" + v.user() + "'" }),
	python("read", "FileNotFoundError", func(v *values) string { return "[Errno 2] No such file or directory: '" + v.path() + "'" }),
	python("connect", "ConnectionRefusedError", func(v *values) string { return "[Errno 111] Connection refused by " + v.host() }),
	python("check", "RuntimeError", sentenceOf), python("price", "shop.errors.PriceError", sentenceOf), python("send", "TimeoutError", func(v *values) string { return "no answer of " + v.host() + " within " + strconv.Itoa(v.n(90)) + " s" }),
	python("fetch", "AttributeError", func(v *values) string {
		return fmt.Sprintf("'%s' object has no attribute '%s'", v.user(), v.user())
	}),
	python("resize", "MemoryError", func(v *values) string { return "cannot take " + v.size() }), python("grant", "PermissionError", func(v *values) string { return "user " + v.user() + " may not read " + v.path() }),
}}

// logon renders a Windows security event with one field per line.
func logon(text string) func(*values) string {
	return func(v *values) string {
		return fmt.Sprintf("%s\r\n\r\nSubject:\r\n\tSecurity ID:\t\tS-1-5-21-%d-%d-%d-%d\r\n\tAccount Name:\t\t%s\r\n\tAccount Domain:\t\t%s\r\n\tLogon ID:\t\t0x%X\r\n\r\nLogon Type:\t\t\t%d\r\n\r\nProcess Information:\r\n\tProcess ID:\t\t0x%x\r\n\tProcess Name:\t\tC:\\Program Files\\%s\\%s.exe\r\n\r\nNetwork Information:\r\n\tWorkstation Name:\t%s\r\n\tSource Network Address:\t%s\r\n\tSource Port:\t\t%d\r\n",
			text, v.n(1<<30), v.n(1<<30), v.n(1<<30), v.n(9999), v.user(), strings.ToUpper(v.user()), v.n(1<<30), v.pick2(), v.n(1<<16), v.user(), v.user(), v.pick("-", strings.ToUpper(v.host())), v.pick("-", v.address()), v.n(65536))
	}
}

func (v *values) pick2() int { return 2 + v.n(9) }

var windowsFormat = format{name: "Windows events", shapes: []func(*values) string{
	logon("An account was successfully logged on."), logon("An account failed to log on."), logon("An account was logged off."), logon("Special privileges assigned to new logon."),
	func(v *values) string { return fmt.Sprintf("The %s service entered the running state.", v.user()) },
	func(v *values) string { return fmt.Sprintf("The %s service entered the stopped state.", v.user()) },
	func(v *values) string {
		return fmt.Sprintf("The system time has changed to 2026-03-%02dT%s.%09dZ from 2026-03-%02dT%s.%09dZ.", 1+v.n(28), v.clock(), v.n(1<<29), 1+v.n(28), v.clock(), v.n(1<<29))
	},
	func(v *values) string {
		return fmt.Sprintf("Faulting application name: %s.exe, version: %d.%d.%d.0, time stamp: 0x%08x\r\nFaulting module name: %s.dll, version: %d.0.0.0, time stamp: 0x%08x\r\nException code: 0xc0000005\r\nFault offset: 0x%016x\r\nFaulting application path: C:\\Apps\\%s\\%s.exe", v.user(), v.n(9), v.n(9), v.n(9), v.rng.Uint32(), v.user(), v.n(9), v.rng.Uint32(), v.rng.Uint64(), v.user(), v.user())
	},
	func(v *values) string {
		return fmt.Sprintf("Name resolution for the name %s timed out after none of the configured DNS servers responded. %s", v.host(), v.sentence())
	},
	func(v *values) string {
		return fmt.Sprintf("Installation Successful: Windows successfully installed the following update: %s (%s)", v.sentence(), v.size())
	},
}}
