// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package mask

import (
	"slices"
	"strings"
)

// longestName is how much of the end of a name is compared, in bytes without separators.
const longestName = 20

// plainNames end the name of a secret wherever they stand in it, as in PGPASSWORD.
var plainNames = []string{"password", "passwd", "passphrase"}

// wordNames end the name of a secret if they are a word of it, as in auth_token,
// accessToken, and X-Auth-Token, but not in mytoken. They are written without separators.
var wordNames = []string{
	"secret", "token", "pwd", "pass", "apikey", "accesskey", "secretkey", "secretkeybase", "privatekey", "authkey", "accountkey", "sharedkey", "storagekey",
	"masterkey", "encryptionkey", "signingkey", "sessionkey", "authorization", "sessionid", "sessid", "jsessionid", "phpsessid", "jwt",
}

// wholeNames are names of secrets in the query of a URL, and headers. As a part of another name they are none.
var wholeNames = []string{"sig", "signature", "xamzsignature", "cookie", "setcookie"}

// isSecretName reports whether a name, such as DB_PASSWORD, is that of a secret.
func isSecretName(name string) bool {
	var b [longestName]byte
	// The end of the name in lower case without separators, and where its words begin.
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

// isHeader tells the headers whose whole value is a secret.
func isHeader(name string) bool {
	for _, h := range []string{"Cookie", "Set-Cookie", "Authorization", "Proxy-Authorization"} {
		if strings.EqualFold(name, h) {
			return true
		}
	}
	return false
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
