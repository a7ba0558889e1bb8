// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package scan

// class is a set of kinds of text to which a byte may belong. A byte without a class is a token
// of its own.
type class uint16

const (
	digit  class = 1 << iota
	alpha        // a letter, or a byte of a character beyond ASCII
	nonHex       // a letter that is not a hexadecimal digit
	upper
	joiner // within words and numbers: _ - + ~ % $ *
	dot
	slash // of either direction
	at
	wide // a byte of a character beyond ASCII
)

var classes = func() (t [256]class) {
	for c := range t {
		switch b := byte(c); {
		case b >= '0' && b <= '9':
			t[c] = digit
		case b >= 'a' && b <= 'f':
			t[c] = alpha
		case b >= 'A' && b <= 'F':
			t[c] = alpha | upper
		case b >= 'g' && b <= 'z':
			t[c] = alpha | nonHex
		case b >= 0x80:
			t[c] = alpha | nonHex | wide
		case b >= 'G' && b <= 'Z':
			t[c] = alpha | nonHex | upper
		}
	}
	for _, c := range "_-+~%$*" {
		t[c] = joiner
	}
	t['.'], t['/'], t['\\'], t['@'] = dot, slash, slash, at
	return t
}()

// isUnit reports whether s is a unit, which belongs to the number before it.
func isUnit(s string) bool {
	switch s {
	case "B", "KB", "MB", "GB", "TB", "PB", "kB", "KiB", "MiB", "GiB", "TiB", "K", "M", "G", "T", "kb", "mb", "gb", "byte", "bytes", "Byte", "Bytes",
		"ns", "us", "µs", "ms", "s", "sec", "secs", "second", "seconds", "msec", "msecs", "usec", "usecs", "millis", "milliseconds", "microseconds", "nanoseconds",
		"m", "min", "mins", "minute", "minutes", "h", "hr", "hrs", "hour", "hours", "d", "day", "days",
		"Hz", "kHz", "KHz", "MHz", "GHz", "%", "AM", "PM", "am", "pm":
		return true
	}
	return false
}

// isLiteral reports whether s is a literal of a programming language: true, false, null, and the like.
func isLiteral(s string) bool {
	switch s {
	case "true", "false", "True", "False", "TRUE", "FALSE", "null", "NULL", "nil", "None", "undefined", "NaN":
		return true
	}
	return false
}

// isDateWord reports whether s is the name of a month or a weekday, short or long.
func isDateWord(s string) bool {
	switch s {
	case "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
		"January", "February", "March", "April", "June", "July", "August", "September", "October", "November", "December",
		"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun",
		"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday":
		return true
	}
	return false
}

// isGenericDomain reports whether s is a generic top-level domain or one of private networks. As
// the last label it makes any name a host name.
func isGenericDomain(s string) bool {
	switch s {
	case "com", "net", "org", "edu", "gov", "mil", "int", "info", "biz", "io", "dev", "app", "cloud",
		"local", "localdomain", "internal", "intranet", "lan", "home", "corp", "arpa", "test", "example":
		return true
	}
	return false
}

// isFileEnding reports whether s, of two letters, is more likely a file extension or a word than
// a country.
func isFileEnding(s string) bool {
	switch s {
	case "so", "py", "js", "go", "rb", "pl", "sh", "cc", "gz", "xz", "md", "ts", "cs", "vb", "ko", "db", "hs", "rs", "ml", "kt", "mk", "in", "is", "to", "id", "no", "do":
		return true
	}
	return false
}

// within reports whether all bytes of s have one of the classes.
func within(s string, c class) bool {
	for i := range len(s) {
		if classes[s[i]]&c == 0 {
			return false
		}
	}
	return true
}
