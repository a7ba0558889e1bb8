# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Compares results of Spark with those of ``auspex backtest``, bit for bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Optional
from urllib.parse import unquote, urlparse

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

NUMBERS = ["value", "score", "opening", "expected", "lower", "upper"]


class Difference(Exception):
    """The results differ."""


def backtest_csv(path: Path) -> pa.Table:
    """Reads the evaluated rows of a file that ``auspex backtest csv`` has written."""
    types = {name: pa.float64() for name in ("value", "anomaly_score", "opening_score", "expected", "lower", "upper")}
    options = pyarrow.csv.ConvertOptions(column_types={**types, "series": pa.string(), "timestamp": pa.int64()})
    table = pyarrow.csv.read_csv(path, convert_options=options)
    table = table.filter(table.column("expected").is_valid())
    names = {"series": "key", "timestamp": "time", "anomaly_score": "score", "opening_score": "opening"}
    return _ordered(table.rename_columns([names.get(name, name) for name in table.column_names]))


def scored(files: list) -> pa.Table:
    """Reads the output of the job."""
    table = pa.concat_tables([pq.read_table(path) for path in files])
    at = table.column("at").cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    return table.drop_columns(["at"]).append_column("time", at).rename_columns(
        [{"host": "key", "load": "value"}.get(name, name) for name in [*table.drop_columns(["at"]).column_names, "time"]]
    )


def rows(path: str) -> Optional[int]:
    """Returns the number of rows of a file, or None if its writer was killed before its end."""
    try:
        return pq.read_metadata(path).num_rows
    except pa.ArrowInvalid:
        return None


def evaluated(table: pa.Table) -> pa.Table:
    """Returns the rows with a verdict, in the order of key and time."""
    return _ordered(table.filter(pc.equal(table.column("outcome"), "evaluated")))


def outcomes(table: pa.Table) -> dict:
    """Counts the rows of each outcome."""
    counts = table.column("outcome").value_counts().to_pylist()
    return {count["values"]: count["counts"] for count in counts}


def same(actual: pa.Table, expected: pa.Table) -> None:
    """Raises Difference unless both tables have the same rows with the same bits."""
    if actual.num_rows != expected.num_rows:
        raise Difference(f"{actual.num_rows} evaluated rows instead of {expected.num_rows}")
    wrong = np.zeros(actual.num_rows, bool)
    for name in ("key", "time"):
        wrong |= ~pc.equal(actual.column(name), expected.column(name)).to_numpy()
    for name in NUMBERS:
        wrong |= _bits(actual, name) != _bits(expected, name)
    if wrong.any():
        at = int(wrong.argmax())
        rows = [table.slice(at, 1).select(["key", "time", *NUMBERS]).to_pylist()[0] for table in (actual, expected)]
        raise Difference(f"{wrong.sum()} of {len(wrong)} rows differ, first {rows[0]} instead of {rows[1]}")


def openings(table: pa.Table) -> int:
    return pc.sum(pc.greater_equal(table.column("opening"), 1)).as_py()


def committed(folder: Path) -> list:
    """Returns the files of a streaming query's output that belong to complete micro-batches."""
    files = set()
    for log in (folder / "_spark_metadata").iterdir():
        if not log.name.startswith("."):
            for line in log.read_text().splitlines()[1:]:
                files.add(unquote(urlparse(json.loads(line)["path"]).path))
    return sorted(files)


def findings(folder: Path) -> dict:
    """Reads the lines of both kinds of findings from the output of the job, in the order of opening and id."""
    table = pa.concat_tables([pq.read_table(path) for path in folder.glob("*.parquet")])
    rows = sorted(table.to_pylist(), key=lambda row: (row["opened"], row["id"]))
    return {kind: sorted(row["json"] for row in rows if row["kind"] == kind) for kind in ("anomaly", "incident")}


def backtest_findings(folder: Path) -> dict:
    """Reads the lines of both kinds of findings of ``auspex backtest otlp``."""
    names = {"anomaly": "anomalies.jsonl", "incident": "incidents.jsonl"}
    return {kind: sorted((folder / name).read_text().splitlines()) for kind, name in names.items()}


def _ordered(table: pa.Table) -> pa.Table:
    return table.sort_by([("key", "ascending"), ("time", "ascending")])


def _bits(table: pa.Table, name: str) -> np.ndarray:
    column = table.column(name)
    if column.null_count:
        raise Difference(f"{column.null_count} rows with a verdict have no {name}")
    return column.to_numpy().view(np.int64)
