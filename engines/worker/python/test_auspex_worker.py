# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the client with the real worker: AUSPEX names the binary, default bin/auspex."""

import contextlib
import io
import json
import math
import os
import signal
import stat
import tempfile
import unittest
from pathlib import Path

import pyarrow as pa

from auspex_worker import OUTCOMES, SCORES, Worker, WorkerDied, WorkerError

PROGRAM = os.environ.get("AUSPEX", str(Path(__file__).resolve().parents[3] / "bin" / "auspex"))
MINUTE = 60_000_000_000
START = 1_772_000_000_000_000_000


def points(key="a", start=0, count=2000):
    """Returns a daily wave with a fault near the end."""
    steps = range(start, start + count)
    values = [10 + math.sin(i / 230) + (i * 7919 % 101) / 500 + (9 if 1900 <= i < 1905 else 0) for i in steps]
    times = [START + i * MINUTE for i in steps]
    return rows([key] * count, times, values)


def rows(keys, times, values):
    return pa.RecordBatch.from_arrays(
        [pa.array(keys, pa.string()), pa.array(times, pa.int64()), pa.array(values, pa.float64())], ["key", "time", "value"]
    )


def otlp(minute, value):
    """Returns a message with one gauge in JSON."""
    point = {"timeUnixNano": str(START + minute * MINUTE), "asDouble": value}
    metric = {"name": "queue.length", "gauge": {"dataPoints": [point]}}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "pay"}}]}
    return json.dumps({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}).encode()


class SeriesTest(unittest.TestCase):
    def test_scores_a_fault(self):
        with Worker("series", program=PROGRAM) as worker:
            scored = worker.score(points())
        self.assertEqual(scored.schema, SCORES)
        opened = [i for i, v in enumerate(scored.column("opening").to_pylist()) if v and v >= 1]
        self.assertIn(1900, opened)
        self.assertEqual(scored.column("outcome").to_pylist()[0], "warming_up")

    def test_continues_from_a_state(self):
        with Worker("series", program=PROGRAM) as worker:
            whole = worker.score(points())
        with Worker("series", program=PROGRAM) as worker:
            first = worker.score(points(count=1500))
            state = worker.snapshot("a")
        with Worker("series", program=PROGRAM) as worker:
            worker.restore("a", state)
            second = worker.score(points(start=1500, count=500))
        joined = pa.Table.from_batches([first, second]).combine_chunks()
        self.assertEqual(joined, pa.Table.from_batches([whole]))

    def test_interleaved_series_are_independent(self):
        alone = points()
        keys = [key for _ in range(alone.num_rows) for key in ("a", "b")]
        twice = [[v for v in alone.column(name).to_pylist() for _ in "ab"] for name in ("time", "value")]
        with Worker("series", program=PROGRAM) as worker:
            expected = worker.score(alone)
            worker.drop()
            both = worker.score(rows(keys, *twice))
        self.assertEqual(both.take(pa.array(range(0, both.num_rows, 2))), expected)
        self.assertEqual(both.take(pa.array(range(1, both.num_rows, 2))), expected)

    def test_outcomes_of_bad_rows(self):
        batch = rows(
            [None, "a", "a", "a", "a", "a", "a"],
            [START, None, START, START, START + 2 * MINUTE, START + 2 * MINUTE, START + MINUTE],
            [1.0, 1.0, None, math.nan, 1.0, 2.0, 3.0],
        )
        with Worker("series", program=PROGRAM) as worker:
            outcomes = worker.score(batch).column("outcome").to_pylist()
        self.assertEqual(outcomes, ["no_key", "no_time", "no_value", "not_finite", "warming_up", "duplicate", "late"])
        self.assertLessEqual(set(outcomes), set(OUTCOMES))

    def test_empty_batch(self):
        with Worker("series", program=PROGRAM) as worker:
            self.assertEqual(worker.score(rows([], [], [])).num_rows, 0)

    def test_batches_larger_than_a_frame_are_split(self):
        key = "k" * 20_000
        count = 4000
        batch = rows([key] * count, [START + i * MINUTE for i in range(count)], [float(i % 7) for i in range(count)])
        with Worker("series", program=PROGRAM) as worker:
            self.assertEqual(worker.score(batch).num_rows, count)

    def test_settings_change_the_result(self):
        with Worker("series", {"max_alpha": 1e-6}, program=PROGRAM) as worker:
            strict = worker.score(points())
        with Worker("series", program=PROGRAM) as worker:
            self.assertNotEqual(worker.score(points()), strict)


class ShardTest(unittest.TestCase):
    def test_finds_a_fault(self):
        with Worker("shard", program=PROGRAM) as worker:
            found = []
            for i in range(3000):
                found += worker.observe("shop", "metrics", otlp(i, 5 + (i * 7919 % 101) / 100 + (80 if 2800 <= i < 2820 else 0)))
            found += worker.flush("shop")
        last = {f.id: f for f in found}.values()
        self.assertIn("anomaly", {f.kind for f in last})
        for f in last:
            self.assertEqual(json.loads(f.json)["id"], f.id)
            self.assertEqual(json.loads(f.json)["opened"], f.opened)


class ErrorTest(unittest.TestCase):
    def test_an_error_names_the_key_and_the_worker_continues(self):
        with Worker("series", program=PROGRAM) as worker:
            with self.assertRaises(WorkerError) as caught:
                worker.snapshot("never seen")
            self.assertEqual(caught.exception.key, "never seen")
            self.assertIn("never seen", str(caught.exception))
            with self.assertRaises(WorkerError) as caught:
                worker.restore("a", b"not a state")
            self.assertEqual(caught.exception.key, "a")
            self.assertEqual(worker.score(points(count=10)).num_rows, 10)

    def test_a_broken_message_names_the_shard(self):
        with Worker("shard", program=PROGRAM) as worker:
            with self.assertRaises(WorkerError) as caught:
                worker.observe("shop", "metrics", b"{broken")
            self.assertEqual(caught.exception.key, "shop")
            with self.assertRaises(WorkerError):
                worker.observe("shop", "profiles", b"")
            worker.observe("shop", "metrics", otlp(1, 5))

    def test_an_unknown_column_is_named(self):
        batch = pa.RecordBatch.from_pydict({"key": ["a"], "time": [START], "values": [1.0]})
        with Worker("series", program=PROGRAM) as worker, self.assertRaisesRegex(WorkerError, "values"):
            worker.score(batch)

    def test_an_unknown_setting_is_named(self):
        with self.assertRaisesRegex(WorkerError, "colour"):
            Worker("series", {"colour": 1}, program=PROGRAM)

    def test_a_missing_program_is_named(self):
        with self.assertRaisesRegex(WorkerDied, "/no/such/auspex"):
            Worker("series", program="/no/such/auspex")

    def test_a_killed_worker_is_an_error(self):
        worker = Worker("series", program=PROGRAM)
        os.kill(worker.pid, signal.SIGKILL)
        with self.assertRaises(WorkerDied) as caught:
            worker.score(points(count=10))
        self.assertEqual(caught.exception.code, -signal.SIGKILL)
        worker.kill()

    def test_a_crash_shows_the_last_messages(self):
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "auspex"
            program.write_text("#!/bin/sh\nread -n 1 x 2>/dev/null\nfor i in $(seq 30); do echo line $i >&2; done\nexit 3\n")
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
            with self.assertRaises(WorkerDied) as caught, contextlib.redirect_stderr(io.StringIO()):
                Worker("series", program=str(program))
        self.assertEqual(caught.exception.code, 3)
        self.assertIn("line 30\n", caught.exception.stderr)
        self.assertNotIn("line 10\n", caught.exception.stderr)

    def test_a_short_reply_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "auspex"
            program.write_text("#!/bin/sh\nprintf '\\000\\000\\001\\000R'\n")
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
            with self.assertRaisesRegex(WorkerDied, "output ended"):
                Worker("series", program=str(program))


if __name__ == "__main__":
    unittest.main()
