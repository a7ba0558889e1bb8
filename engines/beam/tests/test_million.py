# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""ScoreSeries with a million points, compared with ``auspex backtest csv``."""

import tempfile
import unittest

import apache_beam as beam

from auspex_beam import ScoreSeries
from data import Row, backtest_csv, one_series, series
from pipelines import collect


class MillionTest(unittest.TestCase):
    def test_equals_the_backtest(self):
        keys, points = 100, 10_000
        with tempfile.TemporaryDirectory() as folder:
            want = backtest_csv(series(keys, points), folder)
        self.assertGreater(sum(row[4] >= 1 for row in want), keys)
        for runner in "direct", "prism":
            with self.subTest(runner):
                got, counters = collect(
                    runner,
                    lambda p: p
                    | beam.Create(range(keys))
                    | beam.Reshuffle()
                    | beam.FlatMap(one_series, points).with_output_types(Row)
                    | ScoreSeries(),
                )
                self.assertEqual(keys * points, sum(counters.values()))
                result = sorted(tuple(row[:8]) for row in got)
                self.assertTrue(want == result, f"{sum(a != b for a, b in zip(want, result))} of {len(want)} rows differ")
                print(f"{runner}: {len(want)} rows identical, {counters}")
