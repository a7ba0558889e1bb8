// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Faults is a quality report on the faults in telemetry that the product finds. It
// compares the product with standard detectors at the same rate of false alarms, and
// with the upper limit of what can be found.
//
//	go run ./eval/faults [-spec FILE] [-quick] [-product] [-cadences]
//
// Tables go to stdout, progress to stderr. The exit code is 0 if all targets are
// met, 1 if one is missed, or 2 for invalid usage. The same spec gives the same bytes.
// -product measures only the product. With -quick it takes less than a minute. The
// package bench implements the report.
//
// # Series
//
// Each family is a kind of signal (bench/kinds.go and bench/counts.go have the formulas). The
// seed determines the parameters of a series: cadence, φ of its AR(1) noise, tail of
// the innovations, zone, daily and weekly season in that zone, trend, jitter, missing
// points, and restarts. A restart is a gap of two to six slots, after which queues,
// teeth, and counters start over. σ is the standard deviation of the
// innovations of the latent, to which faults are added.
//
// A series has the spec's days, but at most 40,320 slots (28 days at 1 min, 14 at
// 30 s), and at least 4 days (10 s). The first week is warm-up and does not count. In a
// series shorter than two weeks the warm-up is the first half, and there is no weekly
// season.
//
// # Faults
//
// A detector runs once over each series without a fault. At the start of each
// fault a clone of it runs over the changed points, so that every fault has an
// undisturbed history. A fault changes only the stated points.
//
//	spike          one point ±kσ
//	burst          8 points of ±½kσ to ±1½kσ
//	level up, down 120 points of kσ
//	slow leak      kσ more every 60 points, for 240 points
//	variance       the innovations of 120 points times k (up) or 1/k (down)
//	season phase   for 6 hours the season is late, so that the greatest deviation is kσ
//	season shape   for 6 hours the season includes two peaks, so that the greatest deviation is kσ
//	missing peak   the day's peak, or the job's run, is lowered by kσ, for at most 6 hours
//	trend break    a trend turns: kσ every 30 points against it, for 90 points
//	flat line      60 points of the last value (no size)
//	silence        no points in 60 slots (no size)
//	incident       20 to 200 series of all families at once: 30 points of ½kσ to 1½kσ up
//
// An event is found if an opening is between its start and its end. A spike and a
// burst have 5 slots of grace. Longer faults have none, because their recovery
// follows. An incident is found when a tenth of its series, and at least three,
// have opened. These faults are omitted: those that need a season, trend, or peak of kσ
// that the series does not have; level down of series that cannot be negative or have
// small counts; variance and flat line of counts, because their σ follows from the mean
// and runs of equal values are normal; variance down and flat line of a queue, which is
// often empty.
//
// Decoys are not faults. An opening there is a false alarm. It is reported separately
// and counts in the event F1. Decoys are: a planned daily job from the first day on
// (counted at each run); the share of load that an instance loses at a scale-out; the
// first day of a new series; error and cache ratios while the traffic doubles. (The
// doubled rate itself is not a decoy, because it is a level shift of the series.)
//
// # Detectors and scoring
//
// The product is the engine as shipped. One engine watches all series, merged
// by time: a service has one series of each family, and a family is one metric. Its
// false-alarm budget is the rate that the bench allows. The report uses opening
// scores. For a fault, a second engine is restored from a snapshot of the first and
// observes the changed points. In a silence it also observes the other series of the
// service. The engine tests an absence against its own α. It counts as an opening at
// every threshold, in faults and in false alarms.
//
// Baselines have standard settings, the same for all series, and are configured with the
// cadence: rolling windows of 361 points; EWMA λ .2; seasonal naive on the nearer of
// yesterday and last week; Holt-Winters with a daily season in bins of five minutes
// or more; random cut forest of 30 trees and isolation forest of 50, both with
// samples of 256 shingles of 8. None of them scores missing points.
//
// The oracle has the parameters of a series (season, level, σ, φ, tail, tries, share of
// missing points), but not the time and kind of its fault. It computes the
// likelihood ratio of every fault of every size at every length, minus the logarithm
// of their number (bench/oracle.go). It is the upper limit, and does not count as a
// baseline. Two rows are controls: random scores every slot randomly, and flag all
// gives every slot the same score.
//
// Each detector has one threshold: the smallest above which all series without a fault
// together open at most .1 times per series-week. An opening is a score at or above it
// without another one in the 90 preceding slots. Points are not adjusted. Recall is the
// mean over faults of the mean over sizes. Macro recall is the mean over families, with
// incidents as another family. The event F1 assumes one fault and a quarter of a decoy
// per series-week. The rows "tuned by" show macro recall, without incidents, with a
// separate threshold for each family or series at the same rate, chosen after the fact.
// They show how much is lost because scores have different meanings, and have no
// target. Delays are medians over the found events, from the start of the event, in
// minutes. The target is in slots, at the largest size.
//
// # Cadences
//
// With -cadences, signals of the kinds rate, latency, gauge, and cache_ratio are
// drawn every 10 s for 14 days, and the product watches each sampled every 10 s,
// 1 min, and 5 min, with one threshold by the rule above. The faults last 30 minutes
// to 6 hours. Their sizes are in standard deviations of the AR(1) noise.
//
// # Spec
//
// The spec is a JSON file like bench/testdata/default.json with these keys:
//
//   - seed
//   - days: those of the longest series
//   - series: number per family
//   - events: number of trials of each fault and size on each series
//   - sizes: in σ, ascending
//   - faults, decoys: those to create
//   - options: options of all series (see spec.go)
//   - families: name, kind, and optionally params (ranges, drawn uniformly in the
//     logarithm) and options
package main
