# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the files of the collector's file exporter."""

from __future__ import annotations

from typing import Iterable, Iterator, Sequence, Union

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from .auspex_otlp import split

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
            try:
                parts = list(split(text))
            except ValueError as e:
                raise ValueError(f"{file}: line {line} after byte {block}: {e}") from e
            for part in parts:
                due = part.time or due
                out.append((part.shard, part.signal, due and due // 1000, part.otlp, position))
        if out:
            columns = [pa.array(column, field.type) for column, field in zip(zip(*out), _MESSAGES_ARROW)]
            yield pa.RecordBatch.from_arrays(columns, schema=_MESSAGES_ARROW)
