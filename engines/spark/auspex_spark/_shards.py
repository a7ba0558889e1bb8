# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the whole engine on recorded OTLP."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timezone
from itertools import groupby
from operator import itemgetter
from typing import Any, Iterable, Iterator, Mapping, Optional

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from . import _columns
from ._worker import Settings
from .auspex_worker import Finding

_FINDINGS = T.StructType(
    [
        T.StructField("shard", T.StringType(), False),
        T.StructField("kind", T.StringType(), False),
        T.StructField("id", T.StringType(), False),
        T.StructField("opened", T.TimestampType(), False),
        T.StructField("json", T.StringType(), False),
    ]
)
_FINDINGS_ARROW = pa.schema(
    [
        ("shard", pa.string()),
        ("kind", pa.string()),
        ("id", pa.string()),
        ("opened", pa.timestamp("us", tz="UTC")),
        ("json", pa.string()),
    ]
)


def shards(
    df: DataFrame, *, engine: Optional[Mapping[str, Any]] = None, memory_mib: Optional[int] = None
) -> DataFrame:
    """Evaluates each shard as a collector does that receives nothing else, and returns its anomalies and incidents.

    The input has the columns ``shard`` (text), ``signal`` (``metrics``, ``logs``, or ``traces``), ``time`` (the
    earliest event time of the message), and ``otlp`` (a message in protobuf or JSON, as binary), as ``read_otlp``
    returns them. A column ``position`` orders messages of the same time.

    The result has one row for each anomaly and incident in its last state: ``shard``, ``kind`` (``anomaly`` or
    ``incident``), ``id``, ``opened``, and ``json``, a line of ``anomalies.jsonl`` or ``incidents.jsonl`` of ``auspex
    backtest otlp``.
    """
    _columns.require(df, shard=T.StringType, signal=T.StringType, time=T.TimestampType, otlp=T.BinaryType)
    settings = Settings(dict(engine or {}), memory_mib).check("shard")
    last = "position" if "position" in df.columns else "otlp"
    rows = df.repartition("shard").sortWithinPartitions("shard", "time", "signal" if last == "otlp" else last, last)
    messages = rows.select(F.coalesce("shard", F.lit("")).alias("shard"), "signal", "otlp")
    return messages.mapInArrow(_Shards(settings), _FINDINGS)


class _Shards:
    """Evaluates a partition, whose rows are in the order of shard and time."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with ExitStack() as stack:
            worker = None
            for shard, messages in groupby(_rows(batches), key=itemgetter(0)):
                worker = worker or stack.enter_context(self.settings.start("shard"))
                findings: dict[tuple, Finding] = {}
                for _, signal, otlp in messages:
                    _keep(findings, worker.observe(shard, signal, otlp))
                _keep(findings, worker.flush(shard))
                if findings:
                    rows = [(shard, f.kind, f.id, _time(f.opened), f.json) for f in findings.values()]
                    columns = [pa.array(column, field.type) for column, field in zip(zip(*rows), _FINDINGS_ARROW)]
                    yield pa.RecordBatch.from_arrays(columns, schema=_FINDINGS_ARROW)


def _rows(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple]:
    for batch in batches:
        for row in zip(*batch.columns):
            yield tuple(cell.as_py() for cell in row)


def _keep(findings: dict, changes: list[Finding]) -> None:
    """Keeps the last state of each finding."""
    for finding in changes:
        findings[finding.kind, finding.id] = finding


def _time(text: str) -> datetime:
    """Parses a time of RFC 3339 in UTC, and cuts it to microseconds."""
    seconds, _, fraction = text.rstrip("Z").partition(".")
    at = datetime.strptime(seconds, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return at.replace(microsecond=int(fraction[:6].ljust(6, "0")) if fraction else 0)
