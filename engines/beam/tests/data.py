# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Data, runners, and the results of ``auspex backtest``, which the tests compare with."""

import csv
import math
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Iterable, Iterator, NamedTuple, Optional

from apache_beam.options.pipeline_options import PipelineOptions

import auspex_beam
from auspex_beam.auspex_otlp import FileOrder, split

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = str(Path(auspex_beam.__file__).with_name("auspex"))
RECORDING = ROOT / "testdata" / "otlp" / "recording"
PRISM = str(Path(sys.executable).with_name("prism"))
MINUTE = 60_000_000_000
START = 1_772_000_000_000_000_000

RUNNERS = {
    "direct": ["--runner=FnApiRunner"],
    "direct, by bundles": ["--runner=BundleBasedDirectRunner"],
    "direct, 2 processes": ["--runner=FnApiRunner", "--direct_num_workers=2", "--direct_running_mode=multi_processing"],
    "prism": ["--runner=PrismRunner", f"--prism_location={PRISM}", "--prism_log_level=warn"],
}


def options(runner: str, *more: str) -> PipelineOptions:
    """Returns the options of a runner."""
    return PipelineOptions([*RUNNERS[runner], *more])


class Row(NamedTuple):
    """A row of the tests."""

    key: Optional[str]
    time: Optional[int]
    value: Optional[float]


def one_series(k: int, points: int) -> Iterator[Row]:
    """Returns daily waves with a fault."""
    noise = random.Random(k)
    fault = points * 3 // 4 + 7 * k
    for i in range(points):
        value = 10 + k + math.sin(i / 230) + noise.gauss(0, 0.3) + (9 if fault <= i < fault + 5 else 0)
        yield Row(f"series-{k:02}", START + i * MINUTE, value)


def series(keys: int, points: int) -> list[Row]:
    """Returns several series in a random order."""
    rows = [row for k in range(keys) for row in one_series(k, points)]
    random.Random(1).shuffle(rows)
    return rows


def recording() -> list[auspex_beam.Message]:
    """Returns the recording of half an hour in testdata as one shard."""
    messages = []
    for file in sorted(RECORDING.iterdir()):
        order, lines = FileOrder(), file.read_text().splitlines()
        for number, line in enumerate(lines):
            parts = list(split(line))
            message = ("shop", parts[0].signal, line.encode(), f"{file.name}:{number:04}")
            messages += order.add(min(part.time for part in parts), message)
        messages += order.end()
    return [auspex_beam.Message(shard, signal, time, otlp, place) for time, (shard, signal, otlp, place) in messages]


def backtest_otlp(source: Path, folder: str) -> dict[str, list[str]]:
    """Returns the lines of anomalies.jsonl and incidents.jsonl of ``auspex backtest otlp``, sorted, by kind."""
    out = Path(folder, "out")
    run("backtest", "otlp", "--in", str(source), "--out", str(out))
    files = {"anomaly": "anomalies.jsonl", "incident": "incidents.jsonl"}
    return {kind: sorted((out / file).read_text().splitlines()) for kind, file in files.items()}


def last_findings(findings: Iterable[auspex_beam.Finding]) -> dict[str, list[str]]:
    """Returns the last state of each finding, in the form of ``backtest_otlp``."""
    last = {f.id: f for f in sorted(findings, key=lambda f: f.sequence)}
    return {kind: sorted(f.json for f in last.values() if f.kind == kind) for kind in ("anomaly", "incident")}


def backtest_csv(rows: list[Row], folder: str) -> list[tuple]:
    """Returns key, time, value, score, opening, expected, lower, and upper of ``auspex backtest csv``, sorted."""
    source, out = Path(folder, "in"), Path(folder, "out")
    source.mkdir()
    with open(source / "all.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["timestamp", "series", "value"])
        writer.writerows((r.time, r.key, repr(r.value)) for r in sorted(rows))
    run("backtest", "csv", "--in", str(source), "--out", str(out))
    with open(out / "all.csv", newline="") as file:
        return sorted(
            (r["series"], int(r["timestamp"]), float(r["value"]), float(r["anomaly_score"]), float(r["opening_score"]))
            + tuple(float(r[name]) if r[name] else None for name in ("expected", "lower", "upper"))
            for r in csv.DictReader(file)
        )


def run(*arguments: str) -> None:
    """Runs the program, and shows its output if it fails."""
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"auspex {' '.join(arguments)}: exit code {done.returncode}\n{done.stderr}")


def demo() -> str:
    """Returns the program that plays the demo's shop."""
    return os.environ.get("AUSPEX_DEMO", str(ROOT / "bin" / "auspex-demo"))
