# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Unbounded collections: buffered in state, and evaluated when the watermark passes."""

import random
import tempfile
import unittest

import apache_beam as beam
from apache_beam.coders import FastPrimitivesCoder
from apache_beam.testing.test_stream import TestStream
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Timestamp

from auspex_beam import AuspexDetector, InOrder, Message, ScoreSeries, Shards
from data import MINUTE, RECORDING, START, Row, backtest_csv, backtest_otlp, last_findings, recording, series
from pipelines import collect


def stream(elements, step=20 * MINUTE):
    """Returns a source of (time, element). The watermark advances in steps, and elements come shuffled before it."""
    source = TestStream(coder=FastPrimitivesCoder())
    mix = random.Random(3)
    elements = sorted(elements, key=lambda e: e[0])
    while elements:
        until = elements[0][0] + step
        now = [e for e in elements if e[0] < until]
        elements = elements[len(now) :]
        mix.shuffle(now)
        source.add_elements([TimestampedValue(element, Timestamp(micros=time // 1000)) for time, element in now])
        source.advance_watermark_to(Timestamp(micros=(until - step // 2) // 1000))
    return source


def unbounded(elements):
    """Returns a function that adds a source to a pipeline. It is bounded, but treated as if it were not.

    Its watermark passes all elements at once, and then all timers fire.
    """

    def build(pipeline):
        source = pipeline | beam.Create([element for _, element in elements])
        source.is_bounded = False
        return source

    return build


def sources(elements):
    """Returns runners with sources. Only the direct runner runs a TestStream of Python."""
    step = max(20 * MINUTE, (max(elements)[0] - min(elements)[0]) // 12)
    return {
        "direct, by bundles": lambda pipeline: pipeline | stream(elements, step).advance_watermark_to_infinity(),
        "direct": unbounded(elements),
        "prism": unbounded(elements),
    }


class StreamTest(unittest.TestCase):
    maxDiff = 2000

    def test_series_equal_the_backtest(self):
        rows = series(3, 400)
        with tempfile.TemporaryDirectory() as folder:
            want = backtest_csv(rows, folder)

        for runner, source in sources([(r.time, tuple(r)) for r in rows]).items():
            with self.subTest(runner):
                got, _ = collect(runner, lambda p: source(p) | beam.MapTuple(Row) | ScoreSeries(interval=3600), "--streaming")
                self.assertEqual(want, sorted(tuple(row[:8]) for row in got))

    def test_detector_equals_the_backtest(self):
        rows = series(2, 300)
        with tempfile.TemporaryDirectory() as folder:
            want = backtest_csv(rows, folder)

        for runner, source in sources([(r.time, tuple(r)) for r in rows]).items():
            with self.subTest(runner):
                got, _ = collect(
                    runner,
                    lambda p: source(p)
                    | beam.MapTuple(lambda key, time, value: (key, beam.Row(time=time, value=value))).with_output_types(
                        tuple[str, beam.Row]
                    )
                    | InOrder(AuspexDetector(), interval=3600)
                    | beam.MapTuple(lambda key, r: (key, r.example.time, r.predictions[0].score, r.predictions[0].label)),
                    "--streaming",
                )
                self.assertEqual(
                    [(*row[:2], row[4], int(row[4] >= 1)) for row in want if row[5] is not None],
                    sorted(row for row in got if row[3] != -2),
                )

    def test_late_rows_are_returned(self):
        rows = [(START + i * MINUTE, ("a", START + i * MINUTE, float(i % 7))) for i in range(60)]
        late = START + 7
        source = stream(rows).add_elements([TimestampedValue(("a", late, 5.0), Timestamp(micros=late // 1000))])
        source = source.advance_watermark_to(Timestamp(micros=(START + 100 * MINUTE) // 1000))
        got, _ = collect(
            "direct, by bundles",
            lambda p: p | source.advance_watermark_to_infinity() | beam.MapTuple(Row) | ScoreSeries(),
            "--streaming",
        )
        self.assertEqual([late], [row.time for row in got if row.outcome == "late"])
        self.assertEqual(61, len(got))

    def test_shards_equal_the_backtest(self):
        messages = recording()
        with tempfile.TemporaryDirectory() as folder:
            want = backtest_otlp(RECORDING, folder)
        self.assertTrue(want["anomaly"] and want["incident"])
        for runner, source in sources([(m.time, tuple(m)) for m in messages]).items():
            with self.subTest(runner):
                got, counters = collect(runner, lambda p: source(p) | beam.MapTuple(Message) | Shards(interval=120), "--streaming")
                self.assertEqual(want, last_findings(got))
                self.assertEqual(len(got), len({f.sequence for f in got}))
                self.assertGreater(len(got), sum(map(len, want.values())), "findings change")
                if runner != "direct, by bundles":  # which loses the counters of timers
                    self.assertEqual(len(messages), counters["messages"])


if __name__ == "__main__":
    unittest.main()
