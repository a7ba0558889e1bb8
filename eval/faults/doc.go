// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Faults is a quality report: which faults in telemetry does the product find,
// beside standard detectors at the same rate of false alarms, and how much could
// be found at all?
//
//	go run ./eval/faults [-spec FILE] [-quick] [-product] [-cadences]
//
// Tables go to stdout, progress to stderr. The exit code is 0 if all targets are
// met, 1 if one is missed, 2 for wrong use. The same spec gives the same bytes.
// -product leaves out all rows but the product's; with -quick it takes less than a
// minute. The package bench does the work.
//
// # Series
//
// Each family is a kind of signal (bench/kinds.go and bench/counts.go have the formulas). A
// series draws from the seed: cadence, φ of its AR(1) noise, tail of the
// innovations, zone, daily and weekly season by the clock of that zone, trend,
// jitter, missing points and restarts: a gap of two to six slots, after which
// queues, teeth, and counters start over. σ is the standard deviation of the
// innovations of the latent, to which faults are added.
//
// A series has the spec's days, but at most 40,320 slots (28 days at 1 min, 14 at
// 30 s), and at least 4 days (10 s). The first week is warm-up and not counted;
// of a series shorter than two weeks it is the first half, and such a series has
// no weekly season.
//
// # Faults
//
// A detector runs once over each series without a fault. At the start of each
// fault a clone of it runs over what comes instead, so that every fault meets an
// undisturbed history; sizes and faults change nothing but what they say.
//
//	spike          one point ±kσ
//	burst          8 points of ±½kσ to ±1½kσ
//	level up, down 120 points of kσ
//	slow leak      kσ more every 60 points, for 240 points
//	variance       the innovations of 120 points times k (up) or 1/k (down)
//	season phase   for 6 hours the season comes late, by so much that the farthest point is kσ off
//	season shape   for 6 hours the season has two peaks, mixed in until the farthest point is kσ off
//	missing peak   the day's peak, or the job's run, is cut by kσ, for 6 hours at most
//	trend break    a trend turns: kσ every 30 points against it, for 90 points
//	flat line      60 points of the last value (no size)
//	silence        no points in 60 slots (no size)
//	incident       20 to 200 series of all families at once: 30 points of ½kσ to 1½kσ up
//
// An event is found if an opening lies between its start and its end; a spike and a
// burst have 5 slots of grace, longer faults none, because what follows is their
// recovery. An incident is found when a tenth of its series, and at least three,
// have opened. Not made: what a series has no season, trend or peak of kσ for;
// level down of what cannot go below 0 or counts few; variance and flat line of
// counts, for which σ is the mean's and a run of equal values is health; variance
// down and flat line of a queue, which is often empty.
//
// Decoys are no faults; what opens there is a false alarm, shown apart and part of
// the event F1: a planned daily job, there from the first day on (counted at each
// run); the share of load that an instance loses at a scale-out; the first day of a
// new series; error and cache ratios while the traffic doubles. (The doubled rate
// itself is not tried: to one series alone it is a level shift like any other.)
//
// # Detectors and scoring
//
// The product is the engine as it is shipped. One engine watches all series, merged
// by time: a service has one series of each family, and a family is one metric. Its
// false-alarm budget is the rate that the bench allows. Scored are the opening
// scores. For a fault, a second engine is restored from a snapshot of the first and
// sees what comes instead; in a silence the other series of the service go on. An
// absence is judged by the engine against its own α. It counts as an opening at
// every threshold, in faults and in false alarms.
//
// Baselines have standard settings, the same for all series, and are told the
// cadence: rolling windows of 361 points; EWMA λ .2; seasonal naive on the nearer of
// yesterday and last week; Holt-Winters with a daily season in bins of five minutes
// or more; random cut forest of 30 trees and isolation forest of 50, both with
// samples of 256 shingles of 8. None of them has anything to say on a missing point.
//
// The oracle knows how a series is drawn (season, level, σ, φ, tail, tries, share of
// missing points), but not whether, when, and how it is struck. It runs the
// likelihood ratio of every fault of every size at every length, less the logarithm
// of their number (bench/oracle.go). It is the limit of what can be found and no
// baseline. Two rows are controls: random scores every slot by chance, flag all
// scores every slot alike.
//
// Each detector has one threshold, the smallest from which on upward the series
// without a fault, all together, open at most .1 times per series-week. An opening
// is a score at or above it with none in the 90 slots before. Nothing is adjusted
// to points. Recall is the mean over faults of the mean over sizes; macro recall
// the mean over families, incidents being one more. The event F1 is at one fault
// and a quarter of a decoy per series-week. The rows "tuned by" show macro recall,
// without incidents, if each family or series had its own threshold at the same
// rate, chosen after the fact: what is lost because scores mean other things
// elsewhere. They are no target. Delays are medians over the events found, from the
// start of the event, in minutes; the target is on slots, at the largest size.
//
// # Cadences
//
// With -cadences, signals of the kinds rate, latency, gauge, and cache_ratio are
// drawn every 10 s for 14 days, and the product watches each sampled every 10 s,
// 1 min, and 5 min, with one threshold by the rule above. The faults last 30 minutes
// to 6 hours; their sizes are in standard deviations of the AR(1) noise.
//
// # Spec
//
// A JSON file like bench/testdata/default.json. seed; days of the longest series; series
// per family; events: how often each fault and size is tried on each series; sizes
// in σ, rising; faults and decoys to make; options that all series draw from
// (spec.go says what each is); families: a name, a kind, and where they differ from
// the usual its params (ranges, drawn uniformly in the logarithm) and options.
package main
