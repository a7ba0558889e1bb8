# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""A worker that is killed while a pipeline runs."""

import os
import pickle
import signal
import tempfile
import unittest
from unittest import mock

import apache_beam as beam

from auspex_beam import AuspexDetector, ScoreSeries, Shards, WorkerDied
from auspex_beam.auspex_worker import Worker
from data import backtest_csv, recording, series
from pipelines import collect


def killed(method, at):
    """Kills the worker at one of the calls of a method of its client. The runners run in this process."""
    original, calls = getattr(Worker, method), []

    def call(worker, *arguments):
        calls.append(worker.pid)
        if len(calls) == at:
            os.kill(worker.pid, signal.SIGKILL)
        return original(worker, *arguments)

    return mock.patch.object(Worker, method, call), calls


class KilledTest(unittest.TestCase):
    def test_fails_the_run_and_a_rerun_is_identical(self):
        rows = series(5, 300)
        with tempfile.TemporaryDirectory() as folder:
            want = backtest_csv(rows, folder)
        for runner in "direct", "prism":
            with self.subTest(runner):
                build = lambda p: p | beam.Create(rows) | ScoreSeries()  # noqa: E731
                patch, calls = killed("score", 3)
                with patch, self.assertRaisesRegex(Exception, "(?s)output ended before the reply.*exit code -9"):
                    collect(runner, build)
                self.assertGreaterEqual(len(calls), 3)
                got, _ = collect(runner, build)
                self.assertEqual(want, sorted(tuple(row[:8]) for row in got))

    def test_a_retried_bundle_is_identical(self):
        """The direct runner retries a bundle in the same process, which starts another worker."""
        messages = recording()
        build = lambda p: p | beam.Create(messages) | Shards()  # noqa: E731
        want, _ = collect("direct", build)
        patch, calls = killed("observe", 50)
        with patch:
            got, _ = collect("direct, by bundles", build)
        self.assertEqual(2, len(set(calls)), "processes")
        self.assertEqual(50 + len(messages), len(calls))
        self.assertTrue(want)
        self.assertEqual(sorted(want), sorted(got))

    def test_a_detector_continues_from_its_pickle(self):
        rows = [beam.Row(time=r.time, value=r.value) for r in sorted(series(1, 300))]
        plain, detector = AuspexDetector(), AuspexDetector()
        for row in rows[:200]:
            plain.score_one(row)
            detector.score_one(row)
        saved = pickle.dumps(detector)
        want = [plain.score_one(row) for row in rows[200:]]
        os.kill(detector._live.shared.worker.pid, signal.SIGKILL)
        for _ in range(2):  # it does not continue without what it has learned
            with self.assertRaises(WorkerDied):
                detector.score_one(rows[200])
        restored = pickle.loads(saved)
        self.assertEqual(want, [restored.score_one(row) for row in rows[200:]])


if __name__ == "__main__":
    unittest.main()
