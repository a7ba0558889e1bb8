# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the files of the collector's file exporter."""

from __future__ import annotations

import json
from typing import Any, Iterable, Iterator, Optional, Sequence, Union

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

UNKNOWN = "unknown_service"
"""Shard of resources without service.namespace and service.name."""

_MESSAGES = T.StructType(
    [
        T.StructField("shard", T.StringType(), False),
        T.StructField("signal", T.StringType(), False),
        T.StructField("time", T.TimestampType()),
        T.StructField("otlp", T.BinaryType(), False),
        T.StructField("position", T.StringType(), False),
    ]
)
_MESSAGES_ARROW = pa.schema(
    [
        ("shard", pa.string()),
        ("signal", pa.string()),
        ("time", pa.timestamp("us", tz="UTC")),
        ("otlp", pa.binary()),
        ("position", pa.string()),
    ]
)
_SIGNALS = {"resourceMetrics": "metrics", "resourceLogs": "logs", "resourceSpans": "traces"}


def read_otlp(spark: SparkSession, path: Union[str, Sequence[str]]) -> DataFrame:
    """Reads recorded OTLP: JSON, one message per line, uncompressed or gzip, in folders and their subfolders.

    The result is the input of ``shards``: ``shard`` is the attribute service.namespace of the resource, or otherwise
    service.name, or otherwise ``unknown_service``. A message whose resources belong to several shards becomes one
    message for each. ``time`` is the earliest time in it, or that of the message before it if it has none.
    A line that is not OTLP fails the job with the name of its file.
    """
    lines = spark.read.option("recursiveFileLookup", "true").text(path)
    located = lines.select(
        "value", F.col("_metadata.file_path").alias("file"), F.col("_metadata.file_block_start").alias("block")
    )
    return located.mapInArrow(_split_batches, _MESSAGES)


def _split_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    place, line, due = None, 0, None
    for batch in batches:
        out = []
        for cells in zip(*batch.columns):
            text, file, block = (cell.as_py() for cell in cells)
            if place != (file, block):
                place, line, due = (file, block), 0, None
            line += 1
            position = f"{file}:{block:020}:{line:012}"
            for shard, signal, time, otlp in _split(text, file, block, line):
                due = time or due
                out.append((shard, signal, due and due // 1000, otlp, position))
        if out:
            columns = [pa.array(column, field.type) for column, field in zip(zip(*out), _MESSAGES_ARROW)]
            yield pa.RecordBatch.from_arrays(columns, schema=_MESSAGES_ARROW)


def _split(text: str, file: str, block: int, line: int) -> Iterator[tuple[str, str, Optional[int], bytes]]:
    """Splits a message by shard. Returns shard, signal, earliest time in nanoseconds, and the message."""
    if not text.strip():
        return
    try:
        message = json.loads(text)
        if message == {}:
            return
        (key, resources), *_ = message.items()
        signal = _SIGNALS[key]
        parts: dict[str, list] = {}
        for resource in resources:
            parts.setdefault(_shard(resource), []).append(resource)
        times = {shard: _earliest(signal, part) for shard, part in parts.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise ValueError(
            f"{file}: line {line} after byte {block} is not OTLP JSON, as the file exporter writes it: "
            f"{type(e).__name__}: {e}: {text[:80]}"
        ) from e
    for shard, part in parts.items():
        whole = len(parts) == 1
        yield shard, signal, times[shard], (text if whole else json.dumps({key: part}, separators=(",", ":"))).encode()


def _shard(resource: dict) -> str:
    attributes = {a["key"]: a.get("value", {}).get("stringValue") for a in resource.get("resource", {}).get("attributes", [])}
    return attributes.get("service.namespace") or attributes.get("service.name") or UNKNOWN


def _earliest(signal: str, resources: list) -> Optional[int]:
    """Returns the earliest event time in nanoseconds, or None."""
    times = (int(t) for resource in resources for t in _TIMES[signal](resource))
    return min((t for t in times if t > 0), default=None)


def _metric_times(resource: dict) -> Iterator[Any]:
    for scope in resource.get("scopeMetrics", []):
        for metric in scope.get("metrics", []):
            for data in metric.values():
                if isinstance(data, dict):
                    for point in data.get("dataPoints", []):
                        yield point.get("timeUnixNano", 0)


def _log_times(resource: dict) -> Iterator[Any]:
    for scope in resource.get("scopeLogs", []):
        for record in scope.get("logRecords", []):
            yield int(record.get("timeUnixNano", 0)) or record.get("observedTimeUnixNano", 0)


def _span_times(resource: dict) -> Iterator[Any]:
    for scope in resource.get("scopeSpans", []):
        for span in scope.get("spans", []):
            yield span.get("startTimeUnixNano", 0)


_TIMES = {"metrics": _metric_times, "logs": _log_times, "traces": _span_times}
