// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package score

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Rules of the labeled cloud telemetry.
const (
	cloudWarm  = 0.15 // share of each file that is not scored
	cloudGrace = 2    // rows after an event in which it may still be found
	cloudApart = 5    // maximum rows between false rows of one false alarm
	mostFalse  = 6.0  // maximum per 1,000 rows; lower thresholds are not tried
	tries      = 24   // thresholds per decade of ranks
	decades    = 5
)

// CloudRates lists the false alarms per 1,000 rows at which recall is evaluated.
var CloudRates = [...]float64{.2, .5, 1, 3}

// CloudFile is one labeled series with the scores of a detector.
type CloudFile struct {
	Name, Domain string

	scores []float64
	times  []time.Time
	warm   int
	inside []int   // by row: the event of a detection there, -1 for none
	starts []int   // by event: its first row
	counts []bool  // by event: whether it ends after the warm-up
	rows   float64 // neither warm-up nor labeled
}

// Cloud is the data set with the scores of one detector.
type Cloud []CloudFile

// CloudFigures holds the results of one detector.
type CloudFigures struct {
	Recalls [len(CloudRates)]float64 // at each of CloudRates
	Mean    float64                  // of Recalls
	Samples []float64                // of Mean, by Resample over files
	Error   float64                  // bootstrap standard error of Mean
	Delays  [len(CloudRates)]float64 // median delay in minutes from the start of the events found
	AtOne   CloudCount               // at a threshold of 1
	Domains map[string]CloudDomain   // at 1 false alarm per 1,000 rows
}

// CloudCount holds recall, false alarms per 1,000 rows, and median delay in minutes at one threshold.
type CloudCount struct{ Recall, False, Delay float64 }

// CloudDomain holds the counts of one domain.
type CloudDomain struct {
	Found, Events, False int
	Rows                 float64
	Delay                float64 // median, minutes
}

// CloudLabels maps each file to its events: the first and the last labeled time.
type CloudLabels map[string][][2]string

// ReadCloudLabels reads labels.json of a folder.
func ReadCloudLabels(dir string) (CloudLabels, error) {
	path := filepath.Join(dir, "labels.json")
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var labels CloudLabels
	if err := json.Unmarshal(b, &labels); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(labels) == 0 {
		return nil, fmt.Errorf("%s lists no files", path)
	}
	return labels, nil
}

// LoadCloud reads the data set in dir. scoresOf returns a score for each row of a file, where greater is more
// anomalous. ResultsIn returns a scoresOf that reads a backtest's output.
func LoadCloud(dir string, scoresOf func(name string) ([]float64, error)) (Cloud, error) {
	labels, err := ReadCloudLabels(dir)
	if err != nil {
		return nil, err
	}
	var cloud Cloud
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		rows, err := ReadCSV(filepath.Join(dir, "data", filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		scores, err := scoresOf(name)
		if err != nil {
			return nil, err
		}
		f, err := newCloudFile(name, timestamps(rows), scores, labels[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		cloud = append(cloud, f)
	}
	return cloud, nil
}

// ResultsIn returns a function that reads one column of the results of a backtest.
func ResultsIn(dir string, c Column) func(name string) ([]float64, error) {
	return func(name string) ([]float64, error) {
		return ReadScores(filepath.Join(dir, filepath.FromSlash(name)), c)
	}
}

// timestamps returns the first column of the rows below the header.
func timestamps(rows [][]string) []string {
	at := max(0, slices.Index(rows[0], "timestamp"))
	list := make([]string, 0, len(rows)-1)
	for _, row := range rows[1:] {
		list = append(list, row[at])
	}
	return list
}

// newCloudFile maps the events of a file to its rows.
func newCloudFile(name string, stamps []string, scores []float64, events [][2]string) (f CloudFile, err error) {
	n := len(stamps)
	if len(scores) != n {
		return f, fmt.Errorf("%d scores for %d rows", len(scores), n)
	}
	f = CloudFile{Name: name, scores: scores, warm: int(cloudWarm * float64(n)), inside: slices.Repeat([]int{-1}, n)}
	f.Domain, _, _ = strings.Cut(name, "/")
	first := map[string]int{}
	for i, s := range stamps {
		t, err := parseTime(s)
		if err != nil {
			return f, err
		}
		f.times = append(f.times, t)
		if _, seen := first[s]; !seen {
			first[s] = i
		}
	}
	labeled := map[int]bool{}
	for k, e := range events {
		a, okA := first[e[0]]
		b, okB := first[e[1]]
		if !okA || !okB {
			return f, fmt.Errorf("event %q does not match rows of the file", e)
		}
		for i := a; i < min(n, b+1+cloudGrace); i++ {
			f.inside[i] = k
		}
		for i := max(a, f.warm); i <= b; i++ {
			labeled[i] = true
		}
		f.starts, f.counts = append(f.starts, a), append(f.counts, b >= f.warm)
	}
	f.rows = float64(max(1, n-f.warm-len(labeled)))
	return f, nil
}

// parseTime parses a timestamp in one of the formats of the data sets.
func parseTime(s string) (t time.Time, err error) {
	for _, layout := range [...]string{time.DateTime, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05.999999"} {
		if t, err = time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return t, fmt.Errorf("%q is not a time", s)
}

// fileCount holds the counts of one file at one threshold.
type fileCount struct {
	found, events, alarms int
	delays                []float64 // minutes
}

// count counts the found events and the false alarms of a file.
func (f *CloudFile) count(threshold float64) (c fileCount) {
	hit, last := make([]bool, len(f.starts)), -cloudApart-2
	for i := f.warm; i < len(f.scores); i++ {
		if !(f.scores[i] >= threshold) {
			continue
		}
		k := f.inside[i]
		if k < 0 {
			if i-last > cloudApart {
				c.alarms++
			}
			last = i
			continue
		}
		if !hit[k] && f.counts[k] {
			c.found++
			c.delays = append(c.delays, f.times[i].Sub(f.times[f.starts[k]]).Minutes())
		}
		hit[k] = true
	}
	for _, counts := range f.counts {
		if counts {
			c.events++
		}
	}
	return c
}

// thresholds returns the scores at ranks that are evenly spaced on a logarithmic scale, descending.
func (c Cloud) thresholds() []float64 {
	var pool []float64
	for _, f := range c {
		for _, x := range f.scores[f.warm:] {
			if x > 0 {
				pool = append(pool, x)
			}
		}
	}
	if len(pool) == 0 {
		return nil
	}
	slices.Sort(pool)
	slices.Reverse(pool)
	var list []float64
	for e := range tries * decades {
		rank := int(math.Pow(10, float64(e)/tries))
		list = append(list, pool[min(len(pool)-1, rank)])
	}
	return slices.Compact(list)
}

// counted holds the counts of every file at one threshold.
type counted []fileCount

func (c Cloud) at(threshold float64) counted {
	list := make(counted, len(c))
	for i := range c {
		list[i] = c[i].count(threshold)
	}
	return list
}

// domains sums the counts of the files in units by domain. A file may occur more than once.
func (c Cloud) domains(counts counted, units []int) map[string]CloudDomain {
	sums := map[string]CloudDomain{}
	for _, i := range units {
		d, f := sums[c[i].Domain], counts[i]
		d.Found, d.Events, d.False, d.Rows = d.Found+f.found, d.Events+f.events, d.False+f.alarms, d.Rows+c[i].rows
		sums[c[i].Domain] = d
	}
	return sums
}

// rates returns the means over domains of recall and of false alarms per 1,000 rows. Only domains with events count
// for recall.
func rates(domains map[string]CloudDomain) (recall, alarms float64) {
	var recalls, of []float64
	for _, name := range slices.Sorted(maps.Keys(domains)) { // the sum of floats depends on the order
		d := domains[name]
		if d.Events > 0 {
			recalls = append(recalls, float64(d.Found)/float64(d.Events))
		}
		of = append(of, 1000*float64(d.False)/d.Rows)
	}
	return Mean(recalls), Mean(of)
}

// recalls returns, for each rate, the greatest recall at a threshold with at most that many false alarms, and the
// index of the threshold, or -1 for none.
func (c Cloud) recalls(sweep []counted, units []int) (best [len(CloudRates)]float64, at [len(CloudRates)]int) {
	for i := range at {
		at[i] = -1
	}
	for j, counts := range sweep {
		recall, alarms := rates(c.domains(counts, units))
		for i, rate := range CloudRates {
			if alarms <= rate && recall > best[i] {
				best[i], at[i] = recall, j
			}
		}
		if alarms > mostFalse {
			break
		}
	}
	return best, at
}

// Figures scores the data set: recall as the mean over domains, with one threshold for all files at each rate of
// false alarms. The standard error is over files. Each sample has its own thresholds.
func (c Cloud) Figures() CloudFigures {
	all := make([]int, len(c))
	for i := range all {
		all[i] = i
	}
	var sweep []counted
	for _, threshold := range c.thresholds() {
		sweep = append(sweep, c.at(threshold))
	}
	var f CloudFigures
	var at [len(CloudRates)]int
	f.Recalls, at = c.recalls(sweep, all)
	f.Mean = Mean(f.Recalls[:])
	for i, j := range at {
		f.Delays[i] = math.NaN()
		if j >= 0 {
			f.Delays[i] = sweep[j].delay(everyFile)
		}
	}
	if j := at[slices.Index(CloudRates[:], 1)]; j >= 0 {
		f.Domains = c.domains(sweep[j], all)
		for name, d := range f.Domains {
			d.Delay = sweep[j].delay(func(i int) bool { return c[i].Domain == name })
			f.Domains[name] = d
		}
	}
	one := c.at(1)
	f.AtOne.Recall, f.AtOne.False = rates(c.domains(one, all))
	f.AtOne.Delay = one.delay(everyFile)
	f.Samples = Resample(len(c), func(units []int) float64 {
		r, _ := c.recalls(sweep, units)
		return Mean(r[:])
	})
	f.Error = Spread(f.Samples)
	return f
}

func everyFile(int) bool { return true }

// delay returns the median delay, in minutes, over the found events of the selected files.
func (c counted) delay(of func(file int) bool) float64 {
	var all []float64
	for i, f := range c {
		if of(i) {
			all = append(all, f.delays...)
		}
	}
	return Median(all)
}
