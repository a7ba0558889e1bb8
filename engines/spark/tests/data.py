# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Generates series with faults and with invalid rows."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

MINUTE = 60_000_000
START = int(datetime(2026, 3, 2, tzinfo=timezone.utc).timestamp()) * 1_000_000
SCHEMA = pa.schema([("host", pa.string()), ("at", pa.timestamp("us", tz="UTC")), ("load", pa.float64())])


def points(series: int, length: int, seed: int, invalid: bool = True) -> pa.Table:
    """Returns the points of all series in random order.

    Each series has a daily wave, noise, and three faults. With ``invalid``, one row in 200 repeats an earlier time with
    another value, and others have a null or NaN as value, or a null as time or key.
    """
    random = np.random.default_rng(seed)
    steps = np.arange(length)
    keys, times, values = [], [], []
    for i in range(series):
        wave = 10 * np.sin(2 * np.pi * (steps + random.integers(1440)) / 1440)
        value = 50 + wave + random.normal(0, random.uniform(0.5, 2), length)
        for start in random.integers(length // 4, length - 40, 3):
            value[start : start + random.integers(1, 30)] += random.choice([-1, 1]) * random.uniform(10, 40)
        time = START + steps * MINUTE
        null = np.zeros(length, bool)
        if invalid:
            where = random.integers(1, length, length // 200)
            time[where] = time[where - 1]
            value[random.integers(0, length, length // 500)] = np.nan
            null[random.integers(0, length, length // 500)] = True
        keys.append(np.full(length, i))
        times.append(time)
        values.append(pa.array(value, mask=null))
    order = pa.array(random.permutation(series * length))
    key = pa.array([f"host-{i:04}" for i in range(series)]).take(pa.array(np.concatenate(keys)))
    table = pa.table([key, pa.array(np.concatenate(times)).cast(SCHEMA.field("at").type), pa.chunked_array(values)], schema=SCHEMA)
    table = table.take(order).combine_chunks()
    if invalid:
        no_key = table.slice(0, 7).set_column(0, "host", pa.nulls(7, pa.string()))
        no_time = table.slice(7, 5).set_column(1, "at", pa.nulls(5, SCHEMA.field("at").type))
        table = pa.concat_tables([table, no_key, no_time])
    return table


def write_parquet(table: pa.Table, folder: Path, files: int = 8) -> None:
    """Writes the table in several files."""
    folder.mkdir(parents=True)
    size = -(-table.num_rows // files)
    for i in range(files):
        pq.write_table(table.slice(i * size, size), folder / f"part-{i:03}.parquet")


def write_slices(table: pa.Table, folder: Path, files: int) -> None:
    """Writes the table in files of consecutive periods. The first file also has the rows without a time."""
    folder.mkdir(parents=True)
    micros = table.column("at").cast(pa.int64()).fill_null(0).to_numpy()
    edges = np.quantile(np.unique(micros[micros > 0]), np.arange(1, files) / files, method="nearest")
    part = np.searchsorted(edges, micros, side="right")
    for i in range(files):
        path = folder / f"part-{i:03}.parquet"
        pq.write_table(table.filter(pa.array(part == i)), path)
        os.utime(path, (START // 1_000_000 + i, START // 1_000_000 + i))  # a stream reads the oldest file first


def write_csv(table: pa.Table, path: Path) -> None:
    """Writes the rows with key and time for ``auspex backtest csv``, in the order of ``auspex_spark.score``."""
    table = table.filter(pc.and_(table.column("host").is_valid(), table.column("at").is_valid()))
    table = table.sort_by([("host", "ascending"), ("at", "ascending"), ("load", "ascending")])
    path.parent.mkdir(parents=True)
    micros = table.column("at").cast(pa.int64())
    pyarrow.csv.write_csv(pa.table({"series": table.column("host"), "timestamp": micros, "value": table.column("load")}), path)
