# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the columns of rows, and names the row in every error."""

from __future__ import annotations

import numbers
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

from apache_beam.utils.timestamp import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


def column(row: Any, name: str) -> Any:
    """Returns a column of a row with a schema, such as ``beam.Row`` or a named tuple."""
    try:
        return getattr(row, name)
    except AttributeError:
        raise TypeError(f"auspex: the row {_show(row)} has no column {name!r}") from None


def text(row: Any, name: str) -> str:
    """Returns a text of a row."""
    value = column(row, name)
    if isinstance(value, str):
        return value
    raise _wrong(row, name, value, "text")


def optional_text(row: Any, name: str) -> Optional[str]:
    """Returns a text of a row, or None."""
    return None if column(row, name) is None else text(row, name)


def binary(row: Any, name: str) -> bytes:
    """Returns bytes of a row."""
    value = column(row, name)
    if isinstance(value, bytes):
        return value
    raise _wrong(row, name, value, "bytes")


def nanoseconds(row: Any, name: str) -> Optional[int]:
    """Returns a time of a row in nanoseconds since 1970, or None."""
    time = column(row, name)
    if time is None:
        return None
    if isinstance(time, datetime) and time.tzinfo is not None:
        time = (time - _EPOCH) // _MICROSECOND * 1000 + getattr(time, "nanosecond", 0)  # of pandas
    elif isinstance(time, Timestamp):
        time = time.micros * 1000
    elif isinstance(time, bool) or not isinstance(time, numbers.Integral):
        raise _wrong(row, name, time, "a datetime with a time zone, a Beam Timestamp, or integer nanoseconds")
    if -(1 << 63) <= time < 1 << 63:
        return int(time)
    raise _wrong(row, name, time, "between the years 1677 and 2262")


def number(row: Any, name: str) -> Optional[float]:
    """Returns a value of a row, or None."""
    value = column(row, name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise _wrong(row, name, value, "a number")
    try:
        return float(value)
    except OverflowError:
        raise _wrong(row, name, value, "a number of at most 1.8e308") from None


def _wrong(row: Any, name: str, value: Any, want: str) -> TypeError:
    found = f"{type(value).__name__} {_cut(repr(value))}"
    return TypeError(f"auspex: column {name!r} of the row {_show(row)} is {found}: must be {want}")


def _show(row: Any) -> str:
    """Returns the columns of a row with a schema, or the value that is not one."""
    if not hasattr(row, "_asdict"):
        return _cut(f"{type(row).__name__} {row!r}")
    return f"({', '.join(f'{name}={_cut(repr(value))}' for name, value in row._asdict().items())})"


def _cut(text: str) -> str:
    return text if len(text) <= 100 else text[:100] + "…"
