// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/detect/opening"
	"github.com/auspex-otel/auspex/internal/engine/room"
	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Detail is one series with the state of its model and the conditions for opening an anomaly. Its JSON form is that
// of the console's API.
type Detail struct {
	SeriesView
	Signal string `json:"signal"`
	// Alpha is the accepted false-alarm probability per decision.
	Alpha float64 `json:"alpha"`
	// Warming reports that there are too few points for a prediction, Season that the daily season is learned.
	Warming bool `json:"warming"`
	Season  bool `json:"season"`
	// AwaySince is the time since which the series is away from its level. Its model does not learn meanwhile.
	AwaySince time.Time `json:"away_since,omitzero"`
	// CooldownSeconds is the time for which a peak prevents lower scores from opening an anomaly.
	CooldownSeconds float64 `json:"cooldown_seconds"`
	// MinDurationSeconds is the minimum duration of an anomaly that a policy sets.
	MinDurationSeconds float64 `json:"min_duration_seconds"`
	DryRun             bool    `json:"dry_run"`
	Silenced           bool    `json:"silenced"`
	Open               bool    `json:"open"`
	// Bytes is the estimated memory of the series.
	Bytes int `json:"bytes"`
	// Why explains in sentences why an anomaly is open or not.
	Why []string `json:"why"`
}

// Find returns the detail of the series with an identity.
func Find(rows Rows, id series.ID) (Detail, bool) {
	for r := range rows {
		if r.ID == id {
			return r.detail(), true
		}
	}
	return Detail{}, false
}

func (r *Row) detail() Detail {
	d := Detail{
		SeriesView: r.view(), Signal: r.Signal.String(), Alpha: r.Alpha(), Warming: r.warming(), Silenced: r.Silenced(), Open: r.Open,
		CooldownSeconds: float64(float64(r.Cadence) / 1e9 * opening.Cooldown), Bytes: room.Bare,
	}
	if r.Model != nil {
		facts := r.Model.Facts()
		d.Season, d.Bytes = facts.Season, room.Modeled
		if facts.Away > 0 {
			d.AwaySince = time.Unix(0, facts.Away).UTC()
		}
	}
	if r.Policy != nil {
		d.MinDurationSeconds, d.DryRun = r.Policy.MinDuration().Seconds(), r.Policy.DryRun()
	}
	d.Why = r.why(&d)
	return d
}

// why returns the reasons, the most decisive first.
func (r *Row) why(d *Detail) (list []string) {
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	surprise := float64(r.Score * -exact.Log(d.Alpha))
	switch {
	case r.Open:
		say("An anomaly of this series is open. It closes when the value returns to what was expected before, or when the new level is accepted as normal.")
	case d.Silenced:
		say("A silence is in effect for this series: nothing of it opens an anomaly.")
	case d.Warming:
		say("The series is still learning: it has %s, which is too few for a prediction.", count(int(r.Points), "point"))
	case d.DryRun:
		say("A policy has this series in dry run: what would open is counted and does not open.")
	case r.Waiting:
		say("The score passed 1, and a policy has the anomaly wait until it has lasted %v.", r.Policy.MinDuration())
	case r.Score < 1:
		say("Nothing opened, since the latest score is %.2f: an anomaly opens from 1.", r.Score)
	case r.Opening < 1:
		say("The latest score is %.2f, but a higher score within the cooldown of %s has opened an anomaly already, or the level is held.",
			r.Score, seconds(d.CooldownSeconds))
	default:
		say("The latest score is %.2f, but a policy kept the anomaly from opening.", r.Score)
	}
	if r.Absent {
		say("No point has come for longer than usual.")
	}
	if !d.Warming {
		say("A point as unusual as the latest one is expected %s under normal conditions. An anomaly opens at a point that is expected only %s. This threshold follows from the false-alarm budget.",
			odds(surprise), odds(-exact.Log(d.Alpha)))
	}
	if !d.AwaySince.IsZero() {
		say("The series has been away from its level since %s. The model does not learn meanwhile, so that a fault does not become normal at once.",
			d.AwaySince.Format(time.DateTime+" MST"))
	}
	if d.MinDurationSeconds > 0 && !r.Waiting {
		say("A policy asks for anomalies that last at least %s.", seconds(d.MinDurationSeconds))
	}
	return list
}

// odds states how rare an event with a surprise in nats is.
func odds(nats float64) string {
	switch n := exact.Exp(nats); {
	case n < 1000:
		return "once in " + count(int(math.Max(1, math.Round(n))), "point")
	case n < 999_500:
		return fmt.Sprintf("once in %.0f,000 points", n/1000)
	case n < 1e9:
		return fmt.Sprintf("once in %.0f million points", n/1e6)
	default:
		return "once in " + strings.TrimPrefix(vocabulary.Odds(nats), "1 in ") + " points"
	}
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func seconds(s float64) string {
	text := time.Duration(s * float64(time.Second)).Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	return text
}
