# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""AuspexDetector in the transforms of apache_beam.ml.anomaly and in InOrder, compared with ``auspex backtest csv``."""

import pickle
import tempfile
import unittest

import apache_beam as beam
from apache_beam.ml.anomaly.specifiable import Specifiable
from apache_beam.ml.anomaly.thresholds import FixedThreshold
from apache_beam.ml.anomaly.transforms import AnomalyDetection

from auspex_beam import AuspexDetector, InOrder
from data import backtest_csv, series
from pipelines import collect


def flat(element):
    key, result = element
    (prediction,) = result.predictions
    return key, result.example.time, prediction.score, prediction.label, prediction.threshold, prediction.model_id


class DetectorTest(unittest.TestCase):
    maxDiff = 2000

    def test_in_order_equals_the_backtest(self):
        rows = series(4, 500)
        with tempfile.TemporaryDirectory() as folder:
            want = backtest_csv(rows, folder)
        self.assertTrue(any(row[4] >= 1 for row in want))
        for runner in "direct", "direct, by bundles", "prism":
            with self.subTest(runner):
                got, counters = collect(
                    runner,
                    lambda p: p
                    | beam.Create(rows)
                    | beam.Map(lambda r: (r.key, beam.Row(time=r.time, value=r.value, host="web"))).with_output_types(
                        tuple[str, beam.Row]
                    )
                    | InOrder(AuspexDetector())
                    | beam.Map(flat),
                )
                got.sort()
                self.assertEqual([row[:2] for row in want], [tuple(row[:2]) for row in got])
                warm = counters["rows_warming_up"]
                self.assertEqual(warm, sum(row[3] == -2 for row in got))
                self.assertEqual([row[4] for row in want if row[5] is not None], [row[2] for row in got if row[3] != -2])
                self.assertEqual(
                    [(int(row[4] >= 1), 1, "AuspexDetector") for row in want if row[5] is not None],
                    [tuple(row[3:]) for row in got if row[3] != -2],
                )

    def test_runs_in_anomaly_detection(self):
        """Beam shuffles the rows of the series, so that rows older than the latest get no score, and are counted."""
        rows = series(2, 300)
        for runner in "direct", "prism":
            with self.subTest(runner):
                got, counters = collect(
                    runner,
                    lambda p: p
                    | beam.Create(rows)
                    | beam.Map(lambda r: (r.key, beam.Row(time=r.time, value=r.value))).with_output_types(tuple[str, beam.Row])
                    | AnomalyDetection(AuspexDetector())
                    | beam.Map(flat),
                )
                self.assertEqual(len(rows), len(got))
                self.assertEqual(len(rows), sum(counters.values()))
                late = [row for row in got if row[2] is None]
                self.assertEqual(counters["rows_late"], len(late))
                self.assertTrue(all(row[3] is None for row in late))

    def test_continues_after_pickling(self):
        rows = [beam.Row(time=r.time, value=r.value) for r in sorted(series(1, 400))]

        def scores(between):
            detector = Specifiable.from_spec(AuspexDetector(max_alpha=0.01).to_spec())
            for i, row in enumerate(rows):
                if i % 100 == 50:
                    detector = between(detector)
                yield detector.score_one(row)
                detector.learn_one(row)

        self.assertEqual(
            repr(list(scores(lambda detector: detector))),
            repr(list(scores(lambda detector: pickle.loads(pickle.dumps(detector))))),
        )

    def test_learns_without_scoring(self):
        rows = [beam.Row(time=r.time, value=r.value) for r in sorted(series(1, 400))]
        scoring, learning = AuspexDetector(), AuspexDetector()
        for row in rows[:-1]:
            scoring.score_one(row)
            scoring.learn_one(row)
            learning.learn_one(row)
        want = scoring.score_one(rows[-1])
        self.assertGreaterEqual(want, 0)
        self.assertEqual(want, learning.score_one(rows[-1]))

    def test_settings_and_columns(self):
        self.assertEqual(0.5, AuspexDetector(threshold_criterion=FixedThreshold(0.5))._threshold_criterion.threshold)
        with self.assertRaisesRegex(ValueError, "features is .'value'.: must be the column of the time"):
            AuspexDetector(features=["value"])._features
        with self.assertRaisesRegex(Exception, "false_alarm"):
            AuspexDetector(false_alarm=1).score_one(beam.Row(time=1, value=1.0))
        with self.assertRaisesRegex(TypeError, "no column 'value'"):
            AuspexDetector().score_one(beam.Row(time=1, cpu=1.0))
        self.assertIsNone(AuspexDetector().score_one(beam.Row(time=1, value=None)))


if __name__ == "__main__":
    unittest.main()
