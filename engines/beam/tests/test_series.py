# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""ScoreSeries on real runners, compared with ``auspex backtest csv``."""

import math
import tempfile
import unittest
from datetime import datetime, timedelta, timezone
from fractions import Fraction

import apache_beam as beam
from apache_beam.utils.timestamp import Timestamp

from auspex_beam import ScoreSeries, WorkerError
from data import MINUTE, RUNNERS, START, Row, backtest_csv, series
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
                got, counters = collect(runner, lambda p: p | beam.Create(rows) | ScoreSeries())
                self.assertEqual(want, sorted(tuple(row[:8]) for row in got))
                self.assertEqual({"rows_evaluated", "rows_warming_up"}, set(counters))
                self.assertEqual(len(rows), sum(counters.values()))


    def test_rows_that_cannot_be_evaluated_are_counted(self):
        start = series(1, 3)
        bad = [
            Row(None, START, 1.0),
            Row("a", None, 1.0),
            Row("a", START, None),
            Row("a", START + MINUTE, math.nan),
            Row("a", START + 2 * MINUTE, math.inf),
            Row("series-00", min(r.time for r in start), 99.0),
        ]
        for runner in "direct", "prism":
            with self.subTest(runner):
                got, counters = collect(runner, lambda p: p | beam.Create(start + bad) | ScoreSeries())
                self.assertEqual(len(start + bad), len(got))
                self.assertEqual(
                    {
                        "rows_warming_up": 3,
                        "rows_no_key": 1,
                        "rows_no_time": 1,
                        "rows_no_value": 1,
                        "rows_not_finite": 2,
                        "rows_duplicate": 1,
                    },
                    counters,
                )
                outcomes = {(row[0], row[1], repr(row[2])): row[8] for row in got}
                self.assertEqual("duplicate", outcomes["series-00", bad[-1].time, "99.0"])
                self.assertEqual("no_time", outcomes["a", None, "1.0"])

    def test_errors_name_the_row(self):
        for row, error in (
            (beam.Row(key="a", time=1, cpu=1.0), "row .key='a', time=1, cpu=1.0. has no column 'value'"),
            (Row("a", START, "fast"), "column 'value' of the row .*'fast'.* is str 'fast': must be a number"),
            (Row("a", START, True), "column 'value' of the row .* is bool True: must be a number"),
            (Row(5, START, 1.0), "column 'key' of the row .*: must be text"),
            (Row("a", datetime(2026, 3, 2), 1.0), "column 'time' of the row .*: must be a datetime with a time zone"),
            (Row("a", 1 << 63, 1.0), "column 'time' of the row .*: must be between the years"),
        ):
            with self.subTest(error), self.assertRaisesRegex(Exception, error):
                collect("direct", lambda p: p | beam.Create([row]) | ScoreSeries())

    def test_types_of_time_and_value(self):
        at = datetime(2026, 3, 2, 8, 5, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
        rows = [
            beam.Row(host="a", at=at, cpu=3),
            beam.Row(host="b", at=Timestamp.from_utc_datetime(at.astimezone(timezone.utc)), cpu=Fraction(1, 4)),
        ]
        got, _ = collect("direct", lambda p: p | beam.Create(rows) | ScoreSeries(key="host", time="at", value="cpu"))
        self.assertEqual([("a", 1772435100123456000, 3.0), ("b", 1772435100123456000, 0.25)], sorted(tuple(row[:3]) for row in got))

    def test_invalid_settings_are_errors_before_the_run(self):
        with self.assertRaisesRegex(WorkerError, "false_alarm"):
            ScoreSeries(false_alarm=1)
        with self.assertRaisesRegex(ValueError, "interval is 0"):
            beam.Pipeline() | beam.Create(series(1, 1)) | ScoreSeries(interval=0)

    def test_settings_change_the_result(self):
        rows = series(1, 500)
        plain, _ = collect("direct", lambda p: p | beam.Create(rows) | ScoreSeries())
        strict, _ = collect("direct", lambda p: p | beam.Create(rows) | ScoreSeries(max_alpha=1e-9))
        self.assertLess(max(row[3] for row in strict), max(row[3] for row in plain))


if __name__ == "__main__":
    unittest.main()
