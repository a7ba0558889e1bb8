// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"
)

//go:embed testdata/default.json
var defaultSpec []byte

// spec describes what a run draws. doc.go explains every field.
type spec struct {
	Seed     uint64    `json:"seed"`
	Days     int       `json:"days"`
	Series   int       `json:"series"`
	Events   int       `json:"events"`
	Sizes    []float64 `json:"sizes"`
	Faults   []string  `json:"faults"`
	Decoys   []string  `json:"decoys"`
	Options  options   `json:"options"`
	Families []family  `json:"families"`

	builtIn   bool // the default, unchanged
	mostSlots int  // of a series; 0 is the usual
}

// family is a kind of series with its parameters. Parameters that are not given have the kind's defaults. Options
// that are not given are the spec's.
type family struct {
	Name    string          `json:"name"`
	Kind    string          `json:"kind"`
	Params  map[string]span `json:"params"`
	Changes json.RawMessage `json:"options"`

	options options
}

// span is the range of a parameter, which is drawn uniformly in its logarithm.
type span [2]float64

// options are the options of every series, independent of its kind.
type options struct {
	Cadences  []period  `json:"cadences"`  // one is drawn; repeat one to give it weight
	Phi       []float64 `json:"phi"`       // one is drawn, for the AR(1) noise
	Tails     []float64 `json:"tails"`     // one is drawn: degrees of freedom of Student's t; 0 is normal
	Zones     []string  `json:"zones"`     // one is drawn: zone of the hour of day
	Season    float64   `json:"season"`    // share of the series with a daily season
	Weekly    float64   `json:"weekly"`    // share of those with a different weekend
	Amplitude span      `json:"amplitude"` // height of the season's peak over its trough, in σ
	Trend     float64   `json:"trend"`     // share of the series with a trend
	Missing   float64   `json:"missing"`   // share of missing points
	Jitter    float64   `json:"jitter"`    // width of the jitter of the times, in cadences
	Restarts  float64   `json:"restarts"`  // mean number per week
}

// period is a duration in the form "30s".
type period time.Duration

func (p *period) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	d, err := time.ParseDuration(s)
	*p = period(d)
	return err
}

// loadSpec reads a file, or the built-in default if path is empty.
func loadSpec(path string) (*spec, error) {
	text, name := defaultSpec, "testdata/default.json"
	if path != "" {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return nil, err
		}
		name = path
	}
	s, err := parseSpec(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s.builtIn = path == ""
	return s, nil
}

func parseSpec(text []byte) (*spec, error) {
	s := &spec{}
	if err := decode(text, s); err != nil {
		return nil, err
	}
	for i := range s.Families {
		f := &s.Families[i]
		o := s.Options
		// Unmarshal writes into existing slices.
		o.Cadences, o.Phi = slices.Clone(o.Cadences), slices.Clone(o.Phi)
		o.Tails, o.Zones = slices.Clone(o.Tails), slices.Clone(o.Zones)
		if len(f.Changes) > 0 {
			if err := decode(f.Changes, &o); err != nil {
				return nil, fmt.Errorf("families[%d].options: %w", i, err)
			}
		}
		f.options = o
	}
	return s, s.check()
}

// decode decodes strictly: unknown fields and text after the value are errors.
func decode(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d: %w", 1+bytes.Count(text[:min(int(syntax.Offset), len(text))], []byte("\n")), err)
	case err != nil:
		return err
	case d.More():
		return errors.New("more than one value")
	}
	return nil
}

// check returns the error of the first invalid field.
func (s *spec) check() error {
	switch {
	case s.Days < 14:
		return fmt.Errorf("days: %d is less than 14: a week of warm-up and a week that counts", s.Days)
	case s.Series < 1:
		return fmt.Errorf("series: %d is less than 1", s.Series)
	case s.Events < 1:
		return fmt.Errorf("events: %d is less than 1", s.Events)
	case len(s.Sizes) == 0:
		return errors.New("sizes: none given")
	case len(s.Families) == 0:
		return errors.New("families: none given")
	}
	for i, k := range s.Sizes {
		if !(k > 1 && k <= 100) || i > 0 && k <= s.Sizes[i-1] {
			return fmt.Errorf("sizes[%d]: %g must be above 1, at most 100, and above the previous size", i, k)
		}
	}
	if err := checkNames("faults", s.Faults, faultNames()); err != nil {
		return err
	}
	if err := checkNames("decoys", s.Decoys, decoyNames); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i, f := range s.Families {
		if err := f.check(); err != nil {
			return fmt.Errorf("families[%d].%w", i, err)
		}
		if seen[f.Name] {
			return fmt.Errorf("families[%d].name: %q is listed twice", i, f.Name)
		}
		seen[f.Name] = true
	}
	return nil
}

func checkNames(field string, names, known []string) error {
	for i, n := range names {
		if !slices.Contains(known, n) {
			return fmt.Errorf("%s[%d]: %q must be one of %q", field, i, n, known)
		}
		if slices.Contains(names[:i], n) {
			return fmt.Errorf("%s[%d]: %q is listed twice", field, i, n)
		}
	}
	return nil
}

func (f *family) check() error {
	k, ok := kinds[f.Kind]
	switch {
	case f.Name == "":
		return errors.New("name: empty")
	case !ok:
		return fmt.Errorf("kind: %q must be one of %q", f.Kind, slices.Sorted(maps.Keys(kinds)))
	}
	for _, name := range slices.Sorted(maps.Keys(f.Params)) {
		def, ok := k.params[name]
		if !ok {
			return fmt.Errorf("params.%s: kind %q has only %q", name, f.Kind, slices.Sorted(maps.Keys(k.params)))
		}
		if p := f.Params[name]; !(p[0] > 0 && p[0] <= p[1] && p[1] <= def.most) {
			return fmt.Errorf("params.%s: [%g, %g] is not a range above 0 and at most %g", name, p[0], p[1], def.most)
		}
	}
	if err := f.options.check(); err != nil {
		return fmt.Errorf("options.%w", err)
	}
	return nil
}

func (o *options) check() error {
	switch {
	case len(o.Cadences) == 0:
		return errors.New("cadences: none given")
	case len(o.Phi) == 0:
		return errors.New("phi: none given")
	case len(o.Tails) == 0:
		return errors.New("tails: none given")
	case len(o.Zones) == 0:
		return errors.New("zones: none given")
	}
	for i, c := range o.Cadences {
		if d := time.Duration(c); d < 10*time.Second || d > 5*time.Minute || 24*time.Hour%d != 0 {
			return fmt.Errorf("cadences[%d]: %v is not 10s to 5m and a whole part of a day", i, d)
		}
	}
	for i, x := range o.Phi {
		if !(x >= 0 && x <= 0.99) {
			return fmt.Errorf("phi[%d]: %g is not 0 to .99", i, x)
		}
	}
	for i, x := range o.Tails {
		if x != 0 && !(x >= 3 && x == float64(int(x))) {
			return fmt.Errorf("tails[%d]: %g is not 0 (normal) or a whole number from 3 on", i, x)
		}
	}
	for i, z := range o.Zones {
		if _, err := time.LoadLocation(z); err != nil {
			return fmt.Errorf("zones[%d]: %w", i, err)
		}
	}
	return o.checkNumbers()
}

func (o *options) checkNumbers() error {
	for _, x := range []struct {
		name     string
		got, top float64
	}{
		{"season", o.Season, 1},
		{"weekly", o.Weekly, 1},
		{"trend", o.Trend, 1},
		{"missing", o.Missing, 0.5},
		{"jitter", o.Jitter, 0.9},
		{"restarts", o.Restarts, 20},
	} {
		if !(x.got >= 0 && x.got <= x.top) {
			return fmt.Errorf("%s: %g is not 0 to %g", x.name, x.got, x.top)
		}
	}
	if a := o.Amplitude; !(a[0] > 0 && a[0] <= a[1] && a[1] <= 1000) {
		return fmt.Errorf("amplitude: [%g, %g] is not a range above 0 and at most 1000", a[0], a[1])
	}
	return nil
}
