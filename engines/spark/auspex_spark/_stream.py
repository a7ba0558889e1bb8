# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Evaluates the series of a stream, with the state of each series in the checkpoint."""

from __future__ import annotations

import importlib.util
from typing import Any, Iterator, Mapping, Optional, Sequence, Union

import pyarrow as pa
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql import types as T

from . import _columns
from ._worker import Settings

try:
    from pyspark.sql.streaming import StatefulProcessor, StatefulProcessorHandle
except ImportError:  # Spark 3.5
    StatefulProcessor = object  # type: ignore[assignment,misc]

_PROVIDER = "spark.sql.streaming.stateStore.providerClass"
_STATELESS = ("no_key", "no_time", "no_value", "not_finite")


def score_stream(
    df: DataFrame,
    *,
    key: Union[str, Sequence[str]],
    time: str,
    value: str,
    engine: Optional[Mapping[str, Any]] = None,
    observation: Optional[str] = None,
) -> DataFrame:
    """Evaluates each series of a stream. Needs Spark 4.1 or later, and RocksDB as state store.

    The parameters and the result are those of ``score``. A micro-batch is evaluated in the order of time. A row that
    is older than one of an earlier micro-batch has the outcome ``late``. Write the result in append mode.
    """
    if _columns.major(df) < (4, 1):
        raise NotImplementedError(
            f"score_stream needs Spark 4.1 or later, and this is Spark {df.sparkSession.version}: "
            "use score on the rows of a foreachBatch or of a table"
        )
    if importlib.util.find_spec("google") is None or importlib.util.find_spec("google.protobuf") is None:
        raise ImportError("score_stream needs the package protobuf on the driver and the executors: pip install 'auspex-spark[stream]'")
    if not df.isStreaming:
        raise ValueError("score_stream needs a streaming DataFrame: use score for this one")
    if "RocksDB" not in (df.sparkSession.conf.get(_PROVIDER, "") or ""):
        raise ValueError(
            f"score_stream needs RocksDB as state store: set {_PROVIDER} to "
            "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
        )
    columns = _columns.Series(df, key, time, value)
    settings = Settings(dict(engine or {}), None).check("series")
    rows = columns.select(df).withColumn(_columns.VALUE, F.col(_columns.VALUE).cast("double"))
    zoned = isinstance(columns.time.dataType, T.TimestampType)
    if zoned:  # it would reach Python in local time, which is ambiguous when clocks go back
        rows = rows.withColumn(_columns.TIME, F.unix_micros(_columns.TIME))
    scored = rows.groupBy(_columns.KEY).transformWithState(
        statefulProcessor=_Processor(settings),
        outputStructType=_columns.scores(rows),
        outputMode="Append",
        timeMode="None",
    )
    if zoned:
        scored = scored.withColumn(_columns.TIME, F.timestamp_micros(_columns.TIME))
    return _columns.count(columns.rename(scored), observation)


class _Processor(StatefulProcessor):
    """Continues a series from its state in each micro-batch."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def init(self, handle: StatefulProcessorHandle) -> None:
        self.state = handle.getValueState("series", "state BINARY")
        self.worker = None

    def handleInputRows(self, key: Any, rows: Iterator[Row], timerValues: Any) -> Iterator[Row]:
        (name,) = key
        ordered = sorted(rows, key=_order)
        if self.worker is None:
            self.worker = self.settings.start("series")
        known = name is not None and self.state.exists()
        if known:
            self.worker.restore(name, bytes(self.state.get()[0]))
        scores = self.worker.score(
            pa.RecordBatch.from_arrays(
                [
                    pa.array([name] * len(ordered), pa.string()),
                    pa.array([row.time for row in ordered], pa.timestamp("us")),
                    pa.array([row.value for row in ordered], pa.float64()),
                ],
                ["key", "time", "value"],
            )
        ).to_pylist()
        if any(result["outcome"] not in _STATELESS for result in scores):
            self.state.update((self.worker.snapshot(name),))
            known = True
        if known:
            self.worker.drop(name)
        for row, result in zip(ordered, scores):
            yield Row(**{k: v for k, v in row.asDict().items() if k != _columns.KEY}, **result)

    def close(self) -> None:
        if self.worker is not None:
            self.worker.close()


def _order(row: Row) -> tuple:
    """Orders rows by time and value as Spark does: null first, NaN last."""
    time, value = row.time, row.value
    if value is None:
        return time is not None, time or 0, 0, 0.0
    if value != value:
        return time is not None, time or 0, 2, 0.0
    return time is not None, time or 0, 1, value
