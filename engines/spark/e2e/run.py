#!/usr/bin/env python3
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Compares Spark with ``auspex backtest`` on real standalone clusters: make e2e-engines.

It evaluates 100 series of 10,000 points and the recording of the demo's shop, undisturbed and with processes killed, and
measures throughput and memory. It prints a table, and exits with 1 if a result differs by one bit.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

import compare  # noqa: E402
import data  # noqa: E402
from cluster import Cluster, Job, create  # noqa: E402

MEASURE = HERE / "measure.py"
JOB = HERE.parent / "examples" / "job.py"
COLUMNS = ["--key", "host", "--time", "at", "--value", "load"]
SLICES = 8


class Run:
    """The inputs, the expected results, and the table of one run."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args, self.out = args, args.out
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)
        self.rows: list[tuple] = []
        self.failed = False

    def prepare(self) -> None:
        """Writes the inputs, and evaluates them with ``auspex backtest``."""
        table = data.points(self.args.series, self.args.points, self.args.seed)
        self.input = table.num_rows
        data.write_parquet(table, self.out / "points")
        data.write_slices(table, self.out / "slices", SLICES)
        data.write_csv(table, self.out / "csv" / "points.csv")
        started = time.monotonic()
        self.auspex("backtest", "csv", "--in", self.out / "csv", "--out", self.out / "judged")
        self.expected = compare.backtest_csv(self.out / "judged" / "points.csv")
        self.row("-", "auspex backtest csv", time.monotonic() - started, self.describe(self.expected))

    def prepare_shop(self) -> None:
        """Records the demo's shop, and evaluates it with ``auspex backtest``."""
        environment = {**os.environ, "SEED": str(self.args.seed % 1000), "FAULT": "network"}
        shop = [ROOT / "bin" / "auspex-demo", "-write", self.out / "shop", "-before", "6h"]
        subprocess.run(shop, check=True, env=environment, stdout=subprocess.DEVNULL)
        started = time.monotonic()
        self.auspex("backtest", "otlp", "--in", self.out / "shop" / "otlp", "--out", self.out / "shop-judged")
        self.shop = compare.backtest_findings(self.out / "shop-judged")
        self.row("-", "auspex backtest otlp", time.monotonic() - started, _count(self.shop))

    def auspex(self, *args: object) -> None:
        subprocess.run([ROOT / "bin" / "auspex", *map(str, args)], check=True, capture_output=True)

    def check(self, version: str, name: str, check: Callable[[], str]) -> None:
        """Runs a check and adds its row to the table."""
        print(f"{version}: {name}", file=sys.stderr, flush=True)
        started = time.monotonic()
        try:
            result = check()
        except (compare.Difference, RuntimeError, OSError) as e:
            self.failed, result = True, f"FAILED: {e}"
        self.row(version, name, time.monotonic() - started, result)

    def row(self, *cells: object) -> None:
        self.rows.append(cells)
        version, name, seconds, result = cells
        print(f"  {version:6} {name:36} {seconds:6.0f} s  {result}", flush=True)

    def install(self, version: str) -> str:
        """Installs the wheel in a fresh environment with the command of the README, and runs the tests there."""
        folder = self.out / f"fresh-{version}"
        subprocess.run(["python3", "-m", "venv", folder], check=True)
        environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
        readme = (HERE.parent / "README.md").read_text().splitlines()
        (command,) = (line for line in readme if line.startswith("pip install") and f"pyspark=={version}" in line)
        tests = f"python -W ignore -m unittest discover {HERE.parent / 'tests'}"
        for shell, cwd in ((command, ROOT), (tests, folder)):
            done = subprocess.run(["bash", "-c", shell], cwd=cwd, env=environment, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"{shell} failed:\n{done.stdout}{done.stderr}")
        return re.search(r"Ran \d+ tests", done.stderr)[0]

    def batch(self, cluster: Cluster, name: str, disturb: Callable[[Job], None] = lambda _: None, proof: str = "") -> str:
        """Evaluates the table, and compares every row. The driver's log must contain ``proof`` of the disturbance."""
        out = cluster.folder / name
        job = cluster.submit(f"job-{name}", JOB, "score", "--in", self.out / "points", "--out", out, *COLUMNS, until=disturb)
        job.wait()
        if proof not in job.text():
            raise compare.Difference(f"the log of the driver does not contain {proof!r}: see {job.log}")
        return self.verify(compare.scored(list(out.glob("*.parquet"))), job)

    def stream(self, cluster: Cluster, name: str, disturb: bool = False) -> str:
        """Evaluates the slices as a stream, optionally with the driver killed, and compares every row."""
        out, state = cluster.folder / name, cluster.folder / f"{name}-checkpoint"
        args = [JOB, "stream", "--in", self.out / "slices", "--out", out, "--checkpoint", state, *COLUMNS]
        if disturb:
            for kill in range(2):
                job = cluster.submit(f"job-{name}-killed-{kill}", *args)
                self.wait_for_batch(job, state, out, SLICES // 4 * (kill + 1))
                job.kill()
        job = cluster.submit(f"job-{name}", *args)
        job.wait()
        complete = compare.committed(out)
        result = self.verify(compare.scored(complete), None if disturb else job)
        others = set(map(str, out.glob("*.parquet"))) - set(complete)
        written = [compare.rows(path) for path in others]
        removed = f"{sum(n or 0 for n in written)} rows of incomplete micro-batches removed"
        return f"{result}, {removed}, and {written.count(None)} files that were not ended"

    def wait_for_batch(self, job: Job, state: Path, out: Path, batch: int) -> None:
        """Waits until a micro-batch has begun, a worker has evaluated rows of it, and it has not been committed."""
        while job.process.poll() is None:
            if (state / "offsets" / str(batch)).exists():
                job.busy_worker(0.1)
                if not (out / "_spark_metadata" / str(batch)).exists():
                    return
                batch += 1
            time.sleep(0.05)
        raise RuntimeError(f"the stream ended before micro-batch {batch}: see {job.log}")

    def verify(self, table, job) -> str:
        """Compares the rows with those of the backtest, and the counts with those that the job has printed."""
        counts = compare.outcomes(table)
        if table.num_rows != self.input:
            raise compare.Difference(f"{table.num_rows} rows instead of {self.input}: {counts}")
        result = compare.evaluated(table)
        compare.same(result, self.expected)
        if job:
            printed = printed_by(job)
            wrong = {k: printed.get(k, 0) for k in counts if printed.get(k, 0) != counts[k]}
            if wrong:
                raise compare.Difference(f"the job counted {wrong} instead of {counts}")
        others = ", ".join(f"{n} {outcome}" for outcome, n in sorted(counts.items()) if outcome != "evaluated")
        return f"identical: {self.describe(result)}; {others}"

    def shards(self, cluster: Cluster) -> str:
        """Evaluates the recording, and compares the lines of all findings."""
        out = cluster.folder / "findings"
        cluster.submit("job-shards", JOB, "shards", "--in", self.out / "shop" / "otlp", "--out", out).wait()
        found = compare.findings(out)
        for kind, lines in self.shop.items():
            if found[kind] != lines:
                raise compare.Difference(f"{kind}: {found[kind]} instead of {lines}")
        return f"identical: {_count(found)}"

    def throughput(self, cluster: Cluster) -> str:
        """Measures scores and a plain aggregation of the same points, both with the start of the executors."""
        for size in self.args.sizes:
            folder = self.out / f"points-{size}"
            if not folder.exists():
                data.write_parquet(data.points(100, size // 100, self.args.seed), folder)
            for what in ("aggregate", "score"):
                before = cluster.cpu()
                job = cluster.submit(f"job-{what}-{size}", MEASURE, what, folder)
                job.wait()
                cluster.wait_for_executors()
                used, seconds = cluster.cpu() - before, printed_by(job)["seconds"]
                memory = f"MiB at most: worker {job.peaks.get('worker', 0)}, Python {job.peaks.get('python', 0)}"
                rate = f"{size / used:.0f} points/s and core, {used:.0f} CPU-seconds"
                self.row(cluster.env.version, f"{what} of {size} points", seconds, f"{rate}; {memory}")
        return "see above"

    def describe(self, table) -> str:
        return f"{table.num_rows} evaluated, {compare.openings(table)} openings"


def kill_auspex(job: Job) -> None:
    """Kills a worker of Auspex while it evaluates."""
    os.kill(job.busy_worker(0.2), signal.SIGKILL)


def kill_spark(job: Job) -> None:
    """Kills the worker of Spark while a worker of Auspex evaluates, and starts another."""
    job.busy_worker(0.2)
    job.cluster.kill_worker()


def _count(findings: dict) -> str:
    return ", ".join(f"{len(lines)} {kind}" for kind, lines in findings.items())


def printed_by(job: Job) -> dict:
    """Returns what the job has printed. A line of the log may follow on the same line, because both are unbuffered."""
    text = job.text()
    return json.JSONDecoder().raw_decode(text, text.rindex('{"seconds"'))[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="append", required=True, metavar="VERSION=FOLDER", help="an environment of scripts/engines.sh")
    parser.add_argument("--wheel", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "e2e" / "out" / "engines" / "spark")
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--points", type=int, default=10_000, help="points per series")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--sizes", type=lambda sizes: list(map(int, sizes.split(","))), default=[10**5, 10**6, 10**7], help="points whose throughput is measured")
    parser.add_argument("--only", type=lambda names: names.split(","), default=["install", "batch", "kills", "stream", "shards", "throughput"])
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that clusters end

    run = Run(args)
    print(f"seed {args.seed}: {args.series} series of {args.points} points", flush=True)
    run.prepare()
    if "shards" in args.only:
        run.prepare_shop()
    for engine in args.engine:
        version, _, folder = engine.partition("=")
        if "install" in args.only:
            run.check(version, "fresh environment: install, test", lambda: run.install(version))
        env = create(version, Path(folder), args.wheel, run.out / f"venv-{version}")
        with Cluster(env, run.out / f"spark-{version}") as cluster:
            if "batch" in args.only:
                run.check(version, "batch", lambda: run.batch(cluster, "batch"))
            if "kills" in args.only:
                name = "batch, worker of Auspex killed"
                run.check(version, name, lambda: run.batch(cluster, "killed-auspex", kill_auspex, "WorkerDied"))
                name = "batch, worker of Spark killed"
                run.check(version, name, lambda: run.batch(cluster, "killed-spark", kill_spark, "Lost executor"))
            if "stream" in args.only and version[0] != "3":
                run.check(version, "stream", lambda: run.stream(cluster, "stream"))
                if "kills" in args.only:
                    run.check(version, "stream, driver killed twice", lambda: run.stream(cluster, "killed-driver", disturb=True))
            if "shards" in args.only:
                run.check(version, "demo's shop as one shard", lambda: run.shards(cluster))
            if "throughput" in args.only:
                run.check(version, "throughput", lambda: run.throughput(cluster))
    print("FAILED" if run.failed else "all results are identical")
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
