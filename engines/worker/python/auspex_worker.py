# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Client of ``auspex worker``, which runs the detectors for another program.

The protocol is described in engines/worker/README.md. A worker process belongs to one client and to one thread.
"""

from __future__ import annotations

import collections
import json
import struct
import subprocess
import sys
import threading
from typing import Any, Iterator, Mapping, NamedTuple, Optional

import pyarrow as pa

PROTOCOL = 1
MAX_FRAME = 64 << 20
"""Bytes of the largest frame, without its length."""

OUTCOMES = ("evaluated", "warming_up", "late", "duplicate", "no_key", "no_time", "no_value", "not_finite")
"""Outcomes of a row of the series interface."""

SCORES = pa.schema(
    [(name, pa.float64()) for name in ("score", "opening", "expected", "lower", "upper")] + [("outcome", pa.string())]
)
"""Columns that the series interface returns for each row."""

_LENGTH = struct.Struct(">I")
_HEADER = struct.Struct(">cI")  # type, length of the key
_STDERR_LINES = 20


class WorkerError(Exception):
    """The worker rejected a request and continues. The state of the key is unchanged."""

    def __init__(self, message: str, key: Optional[str] = None, row: Optional[int] = None) -> None:
        super().__init__(message, key, row)
        self.message, self.key, self.row = message, key, row

    def __str__(self) -> str:
        where = [] if self.key is None else [f"key {json.dumps(self.key, ensure_ascii=False)}"]
        if self.row is not None:
            where.append(f"row {self.row}")
        return f"auspex worker, {', '.join(where)}: {self.message}" if where else f"auspex worker: {self.message}"


class WorkerDied(Exception):
    """The worker ended, or broke the protocol, before it had answered. Repeat everything since the last state.

    ``code`` is its exit code, negative for a signal, and ``stderr`` the last lines of its standard error.
    """

    def __init__(self, what: str, code: Optional[int], stderr: str) -> None:
        super().__init__(what, code, stderr)
        self.what, self.code, self.stderr = what, code, stderr

    def __str__(self) -> str:
        return f"auspex worker: {self.what}; exit code {self.code}; its last messages:\n{self.stderr or '(none)'}"


class Finding(NamedTuple):
    """The state of an anomaly or incident after a change."""

    kind: str
    """``anomaly`` or ``incident``."""
    id: str
    opened: str
    """Event time of the opening, RFC 3339."""
    json: str
    """The finding in the form of a line of ``anomalies.jsonl`` or ``incidents.jsonl``."""


class Worker:
    """A worker process.

    ``interface`` is ``series`` or ``shard``, ``engine`` holds the settings of the engine, ``program`` is the path of
    the binary, and ``memory_mib`` bounds the states of all keys.
    """

    def __init__(
        self,
        interface: str,
        engine: Optional[Mapping[str, Any]] = None,
        *,
        program: str = "auspex",
        memory_mib: Optional[int] = None,
    ) -> None:
        command = [program, "worker", interface] + (["--memory-mib", str(memory_mib)] if memory_mib else [])
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as e:
            raise WorkerDied(f"cannot start {' '.join(command)}: {e}", None, "") from e
        self._stderr: collections.deque[str] = collections.deque(maxlen=_STDERR_LINES)
        self._logs = threading.Thread(target=self._read_stderr, daemon=True)
        self._logs.start()
        try:
            reply = json.loads(self._request(b"H", "", json.dumps({"protocol": PROTOCOL, "engine": dict(engine or {})}).encode()))
            if reply["protocol"] != PROTOCOL or reply["interface"] != interface:
                raise self._died(f"it speaks {reply}, and the client protocol {PROTOCOL} of {interface}")
            self.version: str = reply["version"]
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        if failure is None:
            self.close()
        else:
            self.kill()

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    def score(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Returns the columns ``SCORES`` for each row of the columns key, time, and value.

        The rows of each key must be in the order of time. A batch that exceeds a frame is sent in several requests.
        """
        parts = list(self._score(rows, 0))
        if len(parts) == 1:
            return parts[0]
        return pa.Table.from_batches(parts, SCORES).combine_chunks().to_batches()[0]

    def observe(self, shard: str, signal: str, otlp: bytes) -> list[Finding]:
        """Observes an OTLP message of the signal ``metrics``, ``logs``, or ``traces``, in protobuf or JSON."""
        if signal not in ("metrics", "logs", "traces"):
            raise WorkerError(f"unknown signal {signal!r}: use metrics, logs, or traces", shard)
        return _findings(self._request(b"O", shard, signal[:1].encode() + otlp))

    def snapshot(self, key: str) -> bytes:
        """Returns the state of a key, and keeps it."""
        return self._request(b"S", key)

    def restore(self, key: str, state: bytes) -> None:
        """Sets the state of a key."""
        self._request(b"T", key, state)

    def flush(self, shard: str) -> list[Finding]:
        """Evaluates the delayed records of a shard, closes its windows, forgets it, and returns its findings."""
        return _findings(self._request(b"F", shard))

    def drop(self, key: str = "") -> None:
        """Forgets a key, or all series."""
        self._request(b"D", key)

    def close(self) -> None:
        """Ends the worker. An exit code other than 0 is an error."""
        self._process.stdin.close()
        rest = self._process.stdout.read()
        code = self._process.wait()
        self._close_pipes()
        if code or rest:
            raise self._died("it did not end properly")

    def kill(self) -> None:
        """Ends the worker immediately."""
        self._process.kill()
        self._process.wait()
        self._close_pipes()

    def _score(self, rows: pa.RecordBatch, offset: int) -> Iterator[pa.RecordBatch]:
        body = _encode(rows)
        if len(body) > MAX_FRAME - 64 and rows.num_rows > 1:
            half = rows.num_rows // 2
            yield from self._score(rows.slice(0, half), offset)
            yield from self._score(rows.slice(half), offset + half)
            return
        try:
            reply = self._request(b"O", "", body)
        except WorkerError as e:
            if e.row is None:
                raise
            raise WorkerError(e.message, rows.column("key")[e.row].as_py(), offset + e.row) from e
        scores = pa.ipc.open_stream(reply).read_all().select(SCORES.names).cast(SCORES)
        if scores.num_rows != rows.num_rows:
            raise self._died(f"{scores.num_rows} rows of output for {rows.num_rows} rows of input")
        yield scores.combine_chunks().to_batches()[0] if scores.num_rows else pa.RecordBatch.from_pylist([], SCORES)

    def _request(self, kind: bytes, key: str, body: bytes = b"") -> bytes:
        name = key.encode()
        size = _HEADER.size + len(name) + len(body)
        if size > MAX_FRAME:
            raise WorkerError(f"a message of {size} bytes exceeds {MAX_FRAME}: split it", key or None)
        try:
            self._process.stdin.write(_LENGTH.pack(size) + _HEADER.pack(kind, len(name)) + name)
            self._process.stdin.write(body)
            self._process.stdin.flush()
        except OSError:
            pass  # the worker has ended: its last reply, if any, states why
        reply, answered, content = self._reply()
        if reply == b"E":
            failure = json.loads(content)
            raise WorkerError(failure["error"], answered or key or None, failure.get("row"))
        if reply != b"R" or answered != key:
            raise self._died(f"unexpected reply {reply!r} for the key {answered!r}")
        return content

    def _reply(self) -> tuple[bytes, str, bytes]:
        (size,) = _LENGTH.unpack(self._read(_LENGTH.size))
        if not _HEADER.size <= size <= MAX_FRAME:
            raise self._died(f"a frame of {size} bytes")
        frame = self._read(size)
        kind, length = _HEADER.unpack_from(frame)
        end = _HEADER.size + length
        if end > size:
            raise self._died(f"a key of {length} bytes in a frame of {size}")
        return kind, frame[_HEADER.size : end].decode(), frame[end:]

    def _read(self, size: int) -> bytes:
        data = self._process.stdout.read(size)
        if len(data) < size:
            raise self._died("its output ended before the reply")
        return data

    def _died(self, what: str) -> WorkerDied:
        """Ends the worker and returns the error."""
        try:
            code: Optional[int] = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._logs.join(timeout=1)
        return WorkerDied(what, code, "".join(self._stderr))

    def _read_stderr(self) -> None:
        for line in self._process.stderr:
            text = line.decode(errors="replace")
            self._stderr.append(text)
            sys.stderr.write(text)

    def _close_pipes(self) -> None:
        self._logs.join(timeout=1)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            try:
                pipe.close()
            except OSError:
                pass  # unsent bytes for a worker that has ended


def _encode(rows: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_batch(rows)
    return sink.getvalue().to_pybytes()


def _findings(lines: bytes) -> list[Finding]:
    findings = []
    for line in lines.decode().split("\n"):
        if line:
            ((kind, value),) = json.loads(line).items()
            # The object is cut out of the line, so that its bytes stay the same.
            findings.append(Finding(kind, value["id"], value["opened"], line[line.index(":") + 1 : -1]))
    return findings
