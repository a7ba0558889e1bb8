# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Scores series, each independently."""

from __future__ import annotations

import collections
import math
from typing import Any, Iterable, NamedTuple, Optional, Sequence

import apache_beam as beam
import pyarrow as pa
from apache_beam.metrics import Metrics

from . import _rows
from ._order import EvaluateInOrder
from ._worker import Settings, shared
from .auspex_worker import OUTCOMES

OBSERVED = frozenset(OUTCOMES[:4])
"""Outcomes of rows after which the worker has a state for their series."""

_COUNTERS = {outcome: Metrics.counter("auspex", f"rows_{outcome}") for outcome in OUTCOMES}


class Scored(NamedTuple):
    """A row with its result. engines/worker/README.md describes the columns from ``score`` on."""

    key: Optional[str]
    time: Optional[int]
    """Event time in nanoseconds since 1970."""
    value: Optional[float]
    score: Optional[float]
    opening: Optional[float]
    expected: Optional[float]
    lower: Optional[float]
    upper: Optional[float]
    outcome: str


beam.coders.registry.register_coder(Scored, beam.coders.RowCoder)


class ScoreSeries(beam.PTransform):
    """Scores each row, in the order of the event time of its series. Returns ``Scored``.

    ``key``, ``time``, and ``value`` name columns of the input: text; a datetime with a time zone, a Beam Timestamp,
    or integer nanoseconds; a number. ``interval`` is the time in seconds between two evaluations of an unbounded
    collection. ``memory_mib`` bounds the states of the worker. ``engine`` holds settings of the engine:
    ``false_alarms``, ``max_alpha``, and ``zone``, as the flags of ``auspex backtest``.

    Rows with a null or with a value that is not finite are returned with an outcome that says so. Other types are
    errors. Metrics ``rows_OUTCOME`` of the namespace ``auspex`` count the outcomes.
    """

    def __init__(
        self,
        key: str = "key",
        time: str = "time",
        value: str = "value",
        *,
        interval: Optional[float] = None,
        memory_mib: Optional[int] = None,
        **engine: Any,
    ) -> None:
        super().__init__()
        self.columns = key, time, value
        self.interval = interval
        self.settings = Settings.of("series", engine, memory_mib).check()

    def expand(self, rows: beam.PCollection) -> beam.PCollection[Scored]:
        return (
            rows
            | "Read columns" >> beam.Map(_read, *self.columns)
            | "Score" >> EvaluateInOrder(_Series(self.settings), self.interval).with_output_types(Scored)
        )


def _read(row: Any, key: str, time: str, value: str) -> tuple[Optional[str], tuple[Optional[int], Any]]:
    return _rows.optional_text(row, key), (_rows.nanoseconds(row, time), _rows.number(row, value))


class _Series:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def sort_key(self, time: Optional[int], value: Optional[float]) -> tuple:
        # Of several rows with the same time, the first one is evaluated: the one with the smallest number.
        bad = value is None or math.isnan(value)
        return time or 0, bad, repr(value) if bad else value

    def evaluate(self, key: Optional[str], state: Optional[bytes], items: list, last: bool) -> tuple[list, Optional[bytes]]:
        if not items:
            return [], state
        batch = points(key, *zip(*items))

        def keep(scores: pa.RecordBatch) -> bool:
            return not last and (state is not None or not OBSERVED.isdisjoint(scores.column("outcome").to_pylist()))

        scores, state = shared(self.settings).evaluate(key or "", state, lambda worker: worker.score(batch), keep)
        columns = [column.to_pylist() for column in scores.columns]
        count(columns[-1])
        return [Scored(key, *item, *row) for item, row in zip(items, zip(*columns))], state


def points(key: Optional[str], times: Sequence[Optional[int]], values: Sequence[Optional[float]]) -> pa.RecordBatch:
    """Returns the input of the worker for one series."""
    return pa.RecordBatch.from_arrays(
        [pa.array([key] * len(times), pa.string()), pa.array(times, pa.int64()), pa.array(values, pa.float64())],
        ["key", "time", "value"],
    )


def count(outcomes: Iterable[str]) -> None:
    """Counts outcomes of rows in the metrics of the pipeline."""
    for outcome, n in collections.Counter(outcomes).items():
        _COUNTERS[outcome].inc(n)
