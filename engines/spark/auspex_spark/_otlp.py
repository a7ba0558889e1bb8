# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the files of the collector's file exporter."""

from __future__ import annotations

from typing import Iterable, Iterator, Sequence, Union

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from .auspex_otlp import FileOrder, split

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


def read_otlp(spark: SparkSession, path: Union[str, Sequence[str]]) -> DataFrame:
    """Reads recorded OTLP: JSON, one message per line, uncompressed or gzip, in folders and their subfolders.

    The result is the input of ``shards``: ``shard`` is the attribute service.namespace of the resource, or otherwise
    service.name, or otherwise ``unknown_service``. A message whose resources belong to several shards becomes one
    message for each. ``time`` keeps the messages of a file in order, as ``auspex backtest otlp`` does.
    A line that is not OTLP fails the job with the name of its file.
    """
    lines = spark.read.option("recursiveFileLookup", "true").text(path)
    located = lines.select(
        "value", F.col("_metadata.file_path").alias("file"), F.col("_metadata.file_block_start").alias("block")
    )
    return located.mapInArrow(_split_batches, _MESSAGES)


def _split_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    place, line = None, 0
    orders: dict[str, FileOrder] = {}
    for batch in batches:
        out: list[tuple] = []
        for cells in zip(*batch.columns):
            text, file, block = (cell.as_py() for cell in cells)
            if place != (file, block):
                out.extend(_rest(orders))
                place, line, orders = (file, block), 0, {}
            line += 1
            position = f"{file}:{block:020}:{line:012}"
            try:
                parts = list(split(text))
            except ValueError as e:
                raise ValueError(f"{file}: line {line} after byte {block}: {e}") from e
            for part in parts:
                order = orders.setdefault(part.shard, FileOrder())
                out.extend(_rows(order.add(part.time, (part, position))))
        yield from _batch(out)
    yield from _batch(list(_rest(orders)))


def _rest(orders: dict[str, FileOrder]) -> Iterator[tuple]:
    for order in orders.values():
        yield from _rows(order.end())


def _rows(parts: Iterable[tuple]) -> Iterator[tuple]:
    for time, (part, position) in parts:
        yield part.shard, part.signal, time // 1000 or None, part.otlp, position


def _batch(rows: list[tuple]) -> Iterator[pa.RecordBatch]:
    if rows:
        columns = [pa.array(column, field.type) for column, field in zip(zip(*rows), _MESSAGES_ARROW)]
        yield pa.RecordBatch.from_arrays(columns, schema=_MESSAGES_ARROW)
