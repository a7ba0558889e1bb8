# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the files of the collector's file exporter."""

from __future__ import annotations

import io
from typing import Iterator, NamedTuple, Optional

import apache_beam as beam
from apache_beam.io import fileio

from .auspex_otlp import split


class Message(NamedTuple):
    """An OTLP message of one shard, the input of ``Shards``."""

    shard: str
    signal: str
    """``metrics``, ``logs``, or ``traces``."""
    time: Optional[int]
    """Earliest event time of the message in nanoseconds."""
    otlp: bytes
    """The message in protobuf or JSON."""
    position: str = ""
    """Orders messages of the same time, and names the message in errors."""


beam.coders.registry.register_coder(Message, beam.coders.RowCoder)


class ReadOtlp(beam.PTransform):
    """Reads recorded OTLP: JSON, one message per line, uncompressed or gzip. Returns ``Message``.

    ``pattern`` names the files, such as ``recorded/**``. The shard is the attribute service.namespace of the resource,
    or otherwise service.name, or otherwise ``unknown_service``. A message whose resources belong to several shards
    becomes one message for each. A message without a time gets that of the message before it. A line that is not OTLP
    is an error that names its file and line.
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
    path, due = file.metadata.path, None
    with file.open() as binary, io.TextIOWrapper(binary, encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            try:
                for shard, signal, time, otlp in split(line):
                    due = time or due
                    yield Message(shard, signal, due, otlp, f"{path}: line {number:09}")
            except ValueError as e:
                raise ValueError(f"{path}: line {number}: {e}") from e
