// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package mask

import (
	"slices"
	"strings"
)

// longestName is the length of the compared end of a name, in bytes without separators.
const longestName = 20

// plainNames are suffixes of secret names anywhere, as in PGPASSWORD.
var plainNames = []string{"password", "passwd", "passphrase"}

// wordNames are suffixes of secret names if they are separate words, as in auth_token,
// accessToken, and X-Auth-Token, but not mytoken. They have no separators.
var wordNames = []string{
	"secret", "token", "pwd", "pass", "apikey", "accesskey", "secretkey", "secretkeybase", "privatekey", "authkey", "accountkey", "sharedkey", "storagekey",
	"masterkey", "encryptionkey", "signingkey", "sessionkey", "authorization", "sessionid", "sessid", "jsessionid", "phpsessid", "jwt",
}

// wholeNames are secret query parameters and headers. They are not secret as a part of another
// name.
var wholeNames = []string{"sig", "signature", "xamzsignature", "cookie", "setcookie"}

// Value returns Mask of an attribute's value, or Hidden if the last part of the
// attribute's name, such as http.request.header.authorization, is that of a secret.
func (m *Masker) Value(name, value string) string {
	if value != "" && isSecretName(name[strings.LastIndexByte(name, '.')+1:]) {
		return Hidden
	}
	return m.Mask(value)
}

// isSecretName reports whether a name, such as DB_PASSWORD, is that of a secret.
func isSecretName(name string) bool {
	var b [longestName]byte
	// The end of the name in lower case without separators, and the starts of its words.
	from := len(b)
	var begins uint32
	for i := len(name) - 1; i >= 0 && from > 0; i-- {
		c := name[i]
		if c == '_' || c == '-' {
			continue
		}
		from--
		b[from] = c
		if c >= 'A' && c <= 'Z' {
			b[from] |= 0x20
		}
		if i == 0 || name[i-1] == '_' || name[i-1] == '-' || isUpper(c) && !isUpper(name[i-1]) {
			begins |= 1 << from
		}
	}
	end := string(b[from:])
	for _, n := range plainNames {
		if strings.HasSuffix(end, n) {
			return true
		}
	}
	for _, n := range wordNames {
		if strings.HasSuffix(end, n) && begins&(1<<(len(b)-len(n))) != 0 {
			return true
		}
	}
	return slices.Contains(wholeNames, end)
}

// isHeader reports whether the whole value of a header is secret.
func isHeader(name string) bool {
	for _, h := range []string{"Cookie", "Set-Cookie", "Authorization", "Proxy-Authorization"} {
		if strings.EqualFold(name, h) {
			return true
		}
	}
	return false
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
