# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Measures the throughput of ScoreSeries and AuspexDetector next to a mean per key on the same generated points.

Each measurement runs in a process of its own, and includes the start of the runner. CPU seconds are those of all its
processes. Run it with engines/beam/test.sh, which sets the path: engines/beam/test.sh measure
"""

import argparse
import math
import random
import resource
import subprocess
import sys
import time

import apache_beam as beam

from auspex_beam import AuspexDetector, InOrder, ScoreSeries
from data import MINUTE, START, Row, options

TASKS = {
    "generate": lambda rows: rows,
    "mean per key": lambda rows: rows | beam.Map(lambda r: (r.key, r.value)) | beam.combiners.Mean.PerKey(),
    "ScoreSeries": lambda rows: rows | ScoreSeries(),
    "AuspexDetector": lambda rows: rows
    | beam.Map(lambda r: (r.key, beam.Row(time=r.time, value=r.value))).with_output_types(tuple[str, beam.Row])
    | InOrder(AuspexDetector()),
}


# Beam calls a detector with one row at a time, 2,500 rows per CPU second.
DETECTOR_POINTS = 200_000


def generate(key, points):
    noise = random.Random(key)
    for i in range(points):
        yield Row(f"series-{key:03}", START + i * MINUTE, 10 + math.sin(i / 230) + noise.gauss(0, 0.3))


def run(runner, task, series, points):
    """Runs one pipeline in this process."""
    with beam.Pipeline(options=options(runner)) as pipeline:
        rows = pipeline | beam.Create(range(series)) | beam.Reshuffle() | beam.FlatMap(generate, points).with_output_types(Row)
        TASKS[task](rows) | beam.combiners.Count.Globally()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--points", type=int, default=2000)
    parser.add_argument("--one", nargs=2, metavar=("RUNNER", "TASK"))
    args = parser.parse_args()
    if args.one:
        return run(*args.one, args.series, args.points)
    print(f"{args.series} series of {args.points} points")
    print("| runner | task | seconds | CPU seconds | points per CPU second |\n| --- | --- | --- | --- | --- |")
    for runner in "direct", "prism":
        for task in TASKS:
            if task == "AuspexDetector" and args.series * args.points > DETECTOR_POINTS:
                continue
            before, begin = cpu(), time.monotonic()
            command = [sys.executable, __file__, "--series", str(args.series), "--points", str(args.points), "--one", runner, task]
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
            seconds, used = time.monotonic() - begin, cpu() - before
            rate = args.series * args.points / used
            print(f"| {runner} | {task} | {seconds:.1f} | {used:.1f} | {rate:,.0f} |", flush=True)


def cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
