// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package promseries

import "strings"

// Kind is what a family of series was before it became series.
type Kind uint8

// The kinds.
const (
	Value     Kind = iota // a gauge, or a sum that may fall
	Rate                  // a counter
	Histogram             // name_bucket, name_sum, name_count
	Summary               // name{quantile}, name_sum, name_count
)

// The names of parts, and the labels that tell parts apart.
const (
	BucketSuffix  = "_bucket"
	SumSuffix     = "_sum"
	CountSuffix   = "_count"
	TotalSuffix   = "_total"
	BucketLabel   = "le"
	QuantileLabel = "quantile"
)

// Owns reports whether a label tells the parts of one stream apart.
func (k Kind) Owns(label string) bool {
	return k == Histogram && label == BucketLabel || k == Summary && label == QuantileLabel
}

// Member says as what a series is read.
type Member struct {
	Kind Kind
	Base string // the name of the family, without the suffixes of parts
}

// Families knows the histograms and summaries of a list of series.
type Families struct {
	Histograms, Summaries map[string]bool // by name without suffix
}

// NewFamilies knows none.
func NewFamilies() Families { return Families{map[string]bool{}, map[string]bool{}} }

// Note learns from a series: what has buckets is a histogram, what has quantiles a summary.
func (f Families) Note(name string, bucket, quantile bool) {
	if base, ok := strings.CutSuffix(name, BucketSuffix); ok && bucket {
		f.Histograms[base] = true
	} else if quantile {
		f.Summaries[name] = true
	}
}

// Part reports whether a series is a part of a histogram or a summary.
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
