// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package promwrite

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// checkLabels sorts labels by name, removes those without a value, and returns the fault of the
// others. Clients must sort labels, but some do not, and other receivers accept that.
func (r *Reader) checkLabels(list []Label) (kept []Label, unsorted bool, fault Fault) {
	if len(list) > r.limits.Labels {
		return nil, false, Fault{Reason: ReasonLabels, Detail: fmt.Sprintf("%d labels, the limit is %d%s", len(list), r.limits.Labels, describe(list))}
	}
	kept = list[:0]
	for i, l := range list {
		switch {
		case l.Name == "":
			return nil, false, Fault{Reason: ReasonLabelName, Detail: "an empty label name" + describe(list[i+1:])}
		case len(l.Name) > r.limits.LabelBytes || len(l.Value) > r.limits.LabelBytes:
			return nil, false, Fault{Reason: ReasonLabelSize, Detail: fmt.Sprintf("label %s has %d bytes, the limit is %d", quote(l.Name), max(len(l.Name), len(l.Value)), r.limits.LabelBytes)}
		case !utf8.ValidString(l.Name) || !utf8.ValidString(l.Value):
			return nil, false, Fault{Reason: ReasonUTF8, Detail: fmt.Sprintf("label %s = %s is not UTF-8", quote(l.Name), quote(l.Value))}
		case l.Value == "":
			continue // an empty label equals no label
		}
		if n := len(kept); n > 0 && kept[n-1].Name >= l.Name {
			unsorted = true
		}
		kept = append(kept, l)
	}
	if !unsorted {
		return kept, false, fault
	}
	slices.SortStableFunc(kept, func(x, y Label) int { return strings.Compare(x.Name, y.Name) })
	for i := 1; i < len(kept); i++ {
		if kept[i-1].Name == kept[i].Name {
			return nil, false, Fault{Reason: ReasonDuplicateLabel, Detail: fmt.Sprintf("label %s twice%s", quote(kept[i].Name), describe(kept))}
		}
	}
	return kept, true, fault
}

const (
	quoted     = 64 // bytes of a text in a message
	nameLabels = 4  // labels of a series in a message
)

// describe identifies a series in a message.
func describe(list []Label) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(" in {")
	for i, l := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		if i == nameLabels {
			b.WriteString("…")
			break
		}
		b.WriteString(quote(l.Name) + "=" + quote(l.Value))
	}
	b.WriteByte('}')
	return b.String()
}

func quote(text string) string {
	if len(text) > quoted {
		return strconv.Quote(text[:quoted]) + "…"
	}
	return strconv.Quote(text)
}
