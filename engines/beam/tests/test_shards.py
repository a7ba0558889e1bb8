# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Shards on real runners, compared with ``auspex backtest otlp`` on a recording of the demo's shop."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import apache_beam as beam

from auspex_beam import Message, ReadOtlp, Shards
from data import backtest_otlp, demo, last_findings
from pipelines import collect


class ShardsTest(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        root = Path(cls.folder.name)
        subprocess.run(
            [demo(), "-write", str(root / "shop"), "-before", "2h"],
            env={**os.environ, "SEED": "7", "FAULT": "network"},
            check=True,
            capture_output=True,
        )
        cls.recording = root / "shop" / "otlp"
        cls.want = backtest_otlp(cls.recording, cls.folder.name)

    def test_equals_the_backtest_on_every_runner(self):
        self.assertTrue(self.want["anomaly"] and self.want["incident"])
        for runner in "direct", "direct, by bundles", "prism":
            with self.subTest(runner):
                got, counters = collect(
                    runner, lambda p: p | ReadOtlp(f"{self.recording}/**") | beam.Reshuffle() | Shards()
                )
                self.assertEqual({"shop"}, {f.shard for f in got})
                self.assertEqual(self.want, last_findings(got))
                self.assertEqual(len(got), sum(map(len, self.want.values())), "each is returned once")
                self.assertGreater(counters["messages"], 1000)

    def test_names_the_line_that_is_not_otlp(self):
        bad = Path(self.folder.name, "bad.jsonl")
        bad.write_text('{"resourceMetrics": []}\n{"metrics": 1}\n')
        with self.assertRaisesRegex(Exception, "bad.jsonl: line 2: not OTLP JSON"):
            collect("direct", lambda p: p | ReadOtlp(str(bad)) | Shards())

    def test_names_the_message_that_is_rejected(self):
        for message, error in (
            (Message("pay", "metrics", 1, b"\xff", "file: line 7"), 'key "pay".*file: line 7: .*not OTLP'),
            (Message("pay", "metric", 1, b"{}"), 'key "pay".*unknown signal .metric.: use metrics, logs, or traces'),
            (Message("pay", "metrics", "now", b"{}"), "column 'time' of the row .*must be a datetime"),
            (beam.Row(shard="pay", signal="logs", time=1, otlp="{}"), "column 'otlp' of the row .*must be bytes"),
            (beam.Row(service="pay"), "the row .service='pay'. has no column 'shard'"),
        ):
            with self.subTest(error), self.assertRaisesRegex(Exception, error):
                collect("direct", lambda p: p | beam.Create([message]) | Shards())


if __name__ == "__main__":
    unittest.main()
