# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the code that runs on the executors, with the real worker and without Spark. The wheel must be installed."""

import os
import random
import signal
import sys
import unittest
from pathlib import Path

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parent))

import data  # noqa: E402
from auspex_spark import WorkerDied, WorkerError  # noqa: E402
from auspex_spark._series import _Scorer  # noqa: E402
from auspex_spark._stream import _Processor  # noqa: E402
from auspex_spark._worker import Settings  # noqa: E402
from pyspark.sql import Row  # noqa: E402

SETTINGS = Settings({}, None)


def partition():
    """Returns the points of six series in the order of key, time, and value."""
    table = data.points(series=6, length=600, seed=3)
    table = table.filter(table.column("host").is_valid())
    table = table.sort_by([("host", "ascending"), ("at", "ascending"), ("load", "ascending")])
    time = table["at"].cast(pa.int64())
    return pa.table({"key": table["host"], "key_0": table["host"], "time": time, "value": table["load"]})


def micros(table):
    """Returns the table with times as timestamps, as Spark sends them."""
    return table.set_column(2, "time", table["time"].cast(pa.timestamp("us", "UTC")))


def score(table, size):
    batches = micros(table).combine_chunks().to_batches(max_chunksize=size)
    return pa.Table.from_batches(list(_Scorer(SETTINGS)(batches)))


class State:
    """Stands in for the state store of Spark."""

    def __init__(self):
        self.value = None

    def getValueState(self, *_):
        return self

    def exists(self):
        return self.value is not None

    def get(self):
        return self.value

    def update(self, value):
        self.value = value


class PartitionTest(unittest.TestCase):
    def test_batches_of_any_size_give_the_same_rows(self):
        whole = score(partition(), 10**6).to_pylist()
        self.assertEqual(len(whole), partition().num_rows)
        for size in (1, 97):
            self.assertEqual(str(score(partition(), size).to_pylist()), str(whole), size)

    def test_an_empty_partition_has_no_rows(self):
        empty = micros(partition()).slice(0, 0).combine_chunks()
        batch = pa.RecordBatch.from_pylist([], empty.schema)
        self.assertEqual(list(_Scorer(SETTINGS)([batch])), [])

    def test_micro_batches_give_the_rows_of_the_batch(self):
        rows = [row for row in partition().to_pylist() if row["key"] == "host-0002"]
        state, streamed = State(), []
        edges = [0, 1, 150, 151, 400, len(rows)]
        for start, end in zip(edges, edges[1:]):
            part = [Row(**row) for row in rows[start:end]]
            random.Random(5).shuffle(part)
            processor = _Processor(SETTINGS)
            processor.init(state)
            streamed += [row.asDict() for row in processor.handleInputRows(("host-0002",), iter(part), None)]
            processor.close()
        table = score(partition(), 10**6)
        table = table.set_column(1, "time", table["time"].cast(pa.int64()))
        expected = [row for row in table.to_pylist() if row["key_0"] == "host-0002"]
        self.assertEqual(sorted(map(str, streamed)), sorted(map(str, expected)))

    def test_rows_without_a_key_have_no_state(self):
        processor, state = _Processor(SETTINGS), State()
        processor.init(state)
        rows = [Row(key=None, key_0=None, time=data.START, value=1.0)]
        (row,) = processor.handleInputRows((None,), iter(rows), None)
        processor.close()
        self.assertEqual((row.outcome, state.exists()), ("no_key", False))

    def test_a_state_of_another_version_is_an_error(self):
        processor, state = _Processor(SETTINGS), State()
        state.update((b"\xff" * 20,))
        processor.init(state)
        rows = [Row(key="a", key_0="a", time=data.START, value=1.0)]
        with self.assertRaisesRegex(WorkerError, 'key "a"'):
            list(processor.handleInputRows(("a",), iter(rows), None))
        processor.close()

    def test_a_killed_worker_is_an_error_and_no_gap(self):
        def batches():
            for batch in micros(partition()).combine_chunks().to_batches(max_chunksize=500):
                yield batch
                for worker in started:
                    os.kill(worker.pid, signal.SIGKILL)

        started = []

        class Watched(Settings):
            def start(self, interface):
                started.append(super().start(interface))
                return started[-1]

        with self.assertRaises(WorkerDied):
            list(_Scorer(Watched({}, None))(batches()))


if __name__ == "__main__":
    unittest.main()
