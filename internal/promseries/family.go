// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package promseries

import "strings"

// Kind is the metric type of a family of series.
type Kind uint8

// The kinds.
const (
	Value     Kind = iota // a gauge, or a sum that is not monotonic
	Rate                  // a counter
	Histogram             // name_bucket, name_sum, name_count
	Summary               // name{quantile}, name_sum, name_count
)

// The names of parts, and the labels that distinguish parts.
const (
	BucketSuffix  = "_bucket"
	SumSuffix     = "_sum"
	CountSuffix   = "_count"
	TotalSuffix   = "_total"
	BucketLabel   = "le"
	QuantileLabel = "quantile"
)

// Owns reports whether a label distinguishes the parts of one stream.
func (k Kind) Owns(label string) bool {
	return k == Histogram && label == BucketLabel || k == Summary && label == QuantileLabel
}

// Member describes the role of a series in its family.
type Member struct {
	Kind Kind
	Base string // name of the family, without the suffixes of parts
}

// Families holds the names of the histograms and summaries in a list of series.
type Families struct {
	Histograms, Summaries map[string]bool // by name without suffix
}

// NewFamilies returns an empty Families.
func NewFamilies() Families { return Families{map[string]bool{}, map[string]bool{}} }

// Note records the family of a series: a histogram if it has buckets, a summary if it has
// quantiles.
func (f Families) Note(name string, bucket, quantile bool) {
	if base, ok := strings.CutSuffix(name, BucketSuffix); ok && bucket {
		f.Histograms[base] = true
	} else if quantile {
		f.Summaries[name] = true
	}
}

// Part reports whether a series is part of a histogram or summary, and returns its role.
func (f Families) Part(name string, bucket, quantile bool) (Member, bool) {
	if base, ok := strings.CutSuffix(name, BucketSuffix); ok && bucket {
		return Member{Histogram, base}, true
	}
	for _, suffix := range [...]string{SumSuffix, CountSuffix} {
		base, ok := strings.CutSuffix(name, suffix)
		if ok && f.Histograms[base] {
			return Member{Histogram, base}, true
		}
		if ok && f.Summaries[base] {
			return Member{Summary, base}, true
		}
	}
	return Member{Summary, name}, quantile
}
