# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""ScoreSeries on real runners, compared with ``auspex backtest csv``."""

import tempfile
import time
import unittest

import apache_beam as beam

from auspex_beam import ScoreSeries
from data import RUNNERS, backtest_csv, series
from pipelines import collect


class SeriesTest(unittest.TestCase):
    maxDiff = 2000

    def test_equals_the_backtest_on_every_runner(self):
        rows = series(20, 2000)
        with tempfile.TemporaryDirectory() as folder:
            want = backtest_csv(rows, folder)
        self.assertGreater(sum(row[4] >= 1 for row in want), 20)
        for runner in RUNNERS:
            with self.subTest(runner):
                begin = time.monotonic()
                got, counters = collect(runner, lambda p: p | beam.Create(rows) | ScoreSeries())
                print(runner, time.monotonic() - begin, flush=True)
                self.assertEqual(want, sorted(tuple(row[:8]) for row in got))
                self.assertEqual({"rows_evaluated", "rows_warming_up"}, set(counters))
                self.assertEqual(len(rows), sum(counters.values()))


if __name__ == "__main__":
    unittest.main()
