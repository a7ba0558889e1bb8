# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Evaluates the series of a DataFrame."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, Iterable, Iterator, Mapping, Optional, Sequence, Union

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, Observation

from . import _columns
from ._worker import Settings
from .auspex_worker import Worker


def score(
    df: DataFrame,
    *,
    key: Union[str, Sequence[str]],
    time: str,
    value: str,
    engine: Optional[Mapping[str, Any]] = None,
    memory_mib: Optional[int] = None,
    observation: Optional[Observation] = None,
) -> DataFrame:
    """Evaluates each series of a DataFrame independently, in the order of time.

    ``key`` names the column or columns that identify a series, ``time`` a timestamp, and ``value`` a number. ``engine``
    holds settings of the engine, as the flags of ``auspex backtest``, for example ``{"false_alarms": 5}``. ``memory_mib``
    bounds the states of one worker. ``observation`` counts the rows of each outcome.

    The result has the columns key, time, and value, and for each row ``score``, ``opening``, ``expected``, ``lower``,
    ``upper``, and ``outcome``. Of several rows of a series with the same time, the one with the lowest value is
    evaluated.
    """
    columns = _columns.Series(df, key, time, value)
    settings = Settings(dict(engine or {}), memory_mib).check("series")
    rows = columns.select(df).repartition(_columns.KEY)
    ordered = rows.sortWithinPartitions(_columns.KEY, _columns.TIME, _columns.VALUE)
    scored = columns.rename(ordered.mapInArrow(_Scorer(settings), _columns.scores(ordered)))
    return _columns.count(scored, observation)


class _Scorer:
    """Evaluates a partition, whose rows are in the order of key and time. It holds the state of one batch of keys."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with ExitStack() as stack:
            worker = None
            for batch in batches:
                if batch.num_rows == 0:
                    continue
                worker = worker or stack.enter_context(self.settings.start("series"))
                # All keys but the last are complete.
                keys = batch.column(0)
                last = keys[len(keys) - 1]
                start = pc.index(keys, last).as_py() if last.is_valid else 0
                if start > 0:
                    yield _score(worker, batch.slice(0, start))
                    worker.drop()
                yield _score(worker, batch.slice(start))


def _score(worker: Worker, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Returns the batch without the worker's key, and with the columns of the worker."""
    columns, names = batch.columns, batch.schema.names
    value = columns[-1]
    if pa.types.is_decimal(value.type):
        value = value.cast(pa.float64())
    scores = worker.score(pa.RecordBatch.from_arrays([columns[0], columns[-2], value], ["key", "time", "value"]))
    return pa.RecordBatch.from_arrays(columns[1:] + scores.columns, names[1:] + scores.schema.names)
