# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the files of the collector's file exporter."""

from __future__ import annotations

import collections
from typing import Iterator, NamedTuple, Optional

import apache_beam as beam
from apache_beam.io import fileio

from .auspex_otlp import FileOrder, split


class Message(NamedTuple):
    """An OTLP message of one shard, the input of ``Shards``."""

    shard: str
    signal: str
    """``metrics``, ``logs``, or ``traces``."""
    time: Optional[int]
    """Event time in nanoseconds, usually the earliest one of the message."""
    otlp: bytes
    """The message in protobuf or JSON."""
    position: str = ""
    """Orders messages of the same time, and names the message in errors."""


beam.coders.registry.register_coder(Message, beam.coders.RowCoder)


class ReadOtlp(beam.PTransform):
    """Reads recorded OTLP: JSON, one message per line, uncompressed or gzip. Returns ``Message``.

    ``pattern`` names the files, such as ``recorded/**``. The shard is the attribute service.namespace of the resource,
    or otherwise service.name, or otherwise ``unknown_service``. A message whose resources belong to several shards
    becomes one message for each. ``time`` keeps the messages of a file in order, as ``auspex backtest otlp`` does.
    A line that is not OTLP is an error that names its file and line.
    """

    def __init__(self, pattern: str) -> None:
        super().__init__()
        self.pattern = pattern

    def expand(self, start) -> beam.PCollection[Message]:
        return (
            start
            | fileio.MatchFiles(self.pattern)
            | fileio.ReadMatches()
            | beam.FlatMap(_messages).with_output_types(Message)
        )


def _messages(file: fileio.ReadableFile) -> Iterator[Message]:
    path = file.metadata.path
    orders: dict[str, FileOrder] = collections.defaultdict(FileOrder)
    with file.open() as lines:
        for number, line in enumerate(iter(lines.readline, b""), 1):
            try:
                for part in split(line.decode()):
                    position = f"{path}: line {number:09}"
                    yield from _in_order(orders[part.shard].add(part.time, (part, position)))
            except ValueError as e:
                raise ValueError(f"{path}: line {number}: {e}") from e
    for order in orders.values():
        yield from _in_order(order.end())


def _in_order(parts: Iterator) -> Iterator[Message]:
    for time, (part, position) in parts:
        yield Message(part.shard, part.signal, time, part.otlp, position)
