// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"regexp"
	"strings"

	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"
)

// hidden stands for a secret.
const hidden = "[hidden]"

var (
	// secretKey matches keys whose values are secrets, whatever their component declares.
	secretKey = regexp.MustCompile(`(?i)pass(word|wd|phrase)?$|secret|token|api_?key|credential|authorization|private|cookie|_pem$|htpasswd|inline`)
	// userInfo matches the user and the password in a URL.
	userInfo = regexp.MustCompile(`://[^/@\s]+@`)
)

// effectiveConfig returns the configuration as YAML without secrets. The collector has hidden
// what components declare as secret already; this also hides values by their keys, all
// headers, and what stands before the @ of a URL.
func effectiveConfig(conf *confmap.Conf) (string, error) {
	text, err := yaml.Marshal(hide(conf.ToStringMap(), ""))
	return string(text), err
}

// namesSecret reports whether a section states the name of a secret beside its value, as
// an action of the attributes processor does.
func namesSecret(section map[string]any) bool {
	for _, k := range []string{"key", "name"} {
		if name, _ := section[k].(string); secretKey.MatchString(name) {
			return true
		}
	}
	return false
}

func hide(v any, key string) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		named := namesSecret(v)
		for k, x := range v {
			if strings.EqualFold(key, "headers") || named && strings.EqualFold(k, "value") {
				out[k] = hidden
				continue
			}
			out[k] = hide(x, k)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = hide(x, key)
		}
		return out
	case string:
		if v != "" && (secretKey.MatchString(key) || strings.EqualFold(key, "headers")) {
			return hidden
		}
		return userInfo.ReplaceAllString(v, "://"+hidden+"@")
	default:
		return v
	}
}
