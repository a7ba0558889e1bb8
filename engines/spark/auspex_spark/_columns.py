# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Checks the columns of an input, and derives those of the output."""

from __future__ import annotations

from typing import Sequence, Union

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F
from pyspark.sql import types as T

from .auspex_worker import OUTCOMES

KEY, TIME, VALUE = "key", "time", "value"
"""Columns that the worker receives."""

SCORES = [T.StructField(name, T.DoubleType()) for name in ("score", "opening", "expected", "lower", "upper")] + [
    T.StructField("outcome", T.StringType(), False)
]
"""Columns that the worker adds."""


class Series:
    """The columns of an input of points, checked: an error names the column."""

    def __init__(self, df: DataFrame, key: Union[str, Sequence[str]], time: str, value: str) -> None:
        self.keys = [key] if isinstance(key, str) else list(key)
        if not self.keys:
            raise ValueError("no column for key: name at least one")
        for name in self.keys:
            _field(df, "key", name)
        self.time = _field(df, "time", time)
        if not isinstance(self.time.dataType, (T.TimestampType, T.TimestampNTZType)):
            raise ValueError(
                f'time column "{time}" is of type {self.time.dataType.simpleString()}: '
                "convert it to a timestamp, for example with timestamp_millis"
            )
        self.value = _field(df, "value", value)
        if not isinstance(self.value.dataType, T.NumericType):
            raise ValueError(
                f'value column "{value}" is of type {self.value.dataType.simpleString()}: convert it to a number'
            )
        names = [*self.keys, time, value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f'column "{name}" is named twice: key, time, and value must be different columns')
            if name in (field.name for field in SCORES):
                raise ValueError(f'column "{name}" has the name of a column of the output: rename it')
        self.names = names

    def select(self, df: DataFrame) -> DataFrame:
        """Returns ``KEY``, the key columns with other names, ``TIME``, and ``VALUE``.

        ``KEY`` is the text of the key column, or a JSON array of the texts of several columns, or null if one of them
        is null. PySpark cannot pass columns to Python whose names contain dots.
        """
        texts = [_column(name).cast("string") for name in self.keys]
        key = texts[0]
        if len(texts) > 1:
            whole = texts[0].isNotNull()
            for text in texts[1:]:
                whole = whole & text.isNotNull()
            key = F.when(whole, F.to_json(F.array(*texts)))
        keys = [_column(name).alias(f"key_{i}") for i, name in enumerate(self.keys)]
        return df.select(
            key.alias(KEY), *keys, _column(self.time.name).alias(TIME), _column(self.value.name).alias(VALUE)
        )

    def rename(self, scored: DataFrame) -> DataFrame:
        """Restores the names of a result that has the columns of ``scores``."""
        return scored.toDF(*self.names, *(field.name for field in SCORES))


def scores(rows: DataFrame) -> T.StructType:
    """Returns the columns of a result: those of ``Series.select`` without ``KEY``, and those of the worker."""
    return T.StructType([*rows.schema.fields[1:], *SCORES])


def count(df: DataFrame, observation: Union[Observation, str, None]) -> DataFrame:
    """Counts the rows of each outcome in an observation."""
    if observation is None:
        return df
    first, *rest = [F.count(F.when(F.col("outcome") == outcome, 1)).alias(outcome) for outcome in OUTCOMES]
    return df.observe(observation, first, *rest)


def require(df: DataFrame, **types: type) -> None:
    """Checks that the columns exist with their types."""
    for name, kind in types.items():
        field = _field(df, name, name)
        if not isinstance(field.dataType, kind):
            raise ValueError(f'column "{name}" is of type {field.dataType.simpleString()}, not {kind.typeName()}')


def major(df: DataFrame) -> tuple[int, int]:
    """Returns major and minor version of Spark."""
    version = df.sparkSession.version.split(".")
    return int(version[0]), int(version[1])


def _field(df: DataFrame, role: str, name: str) -> T.StructField:
    if name not in df.columns:
        raise ValueError(f'no column "{name}" for {role}: the columns are {", ".join(df.columns)}')
    return df.schema[name]


def _column(name: str) -> Column:
    return F.col("`" + name.replace("`", "``") + "`")
