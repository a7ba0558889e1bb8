# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Starts standalone clusters of Spark, runs jobs on them, and watches and kills their processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Callable, Iterator, NamedTuple, Optional

CONF = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.executor.cores": "1",
    "spark.executor.memory": "1g",
    "spark.cores.max": "2",
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "4",
    # Clocks change in New York on the seventh day of the data.
    "spark.sql.session.timeZone": "America/New_York",
}


class Environment(NamedTuple):
    """A virtual environment with the wheel, which uses the packages of an environment of scripts/engines.sh."""

    version: str
    folder: Path
    home: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def program(self) -> Path:
        """The worker, whose path distinguishes its processes from those of other runs."""
        return next(self.folder.glob("lib/python3*/site-packages/auspex_spark/auspex"))

    def variables(self) -> dict:
        return {
            **os.environ,
            "SPARK_HOME": str(self.home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": "512m",
            "PYSPARK_PYTHON": str(self.python),
            "PYSPARK_DRIVER_PYTHON": str(self.python),
        }


def create(version: str, engine: Path, wheel: Path, folder: Path) -> Environment:
    """Creates an environment in a folder."""
    subprocess.run(["python3", "-m", "venv", folder], check=True)
    packages = next(engine.glob("lib/python3*/site-packages"))
    (folder / packages.relative_to(engine) / "engine.pth").write_text(f"{packages}\n")
    pip = [folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--ignore-installed", wheel]
    subprocess.run(pip, check=True)
    return Environment(version, folder, packages / "pyspark")


class Cluster:
    """A master and a worker of Spark with two cores."""

    def __init__(self, env: Environment, folder: Path) -> None:
        self.env, self.folder = env, folder
        folder.mkdir(parents=True)
        self.processes: list[subprocess.Popen] = []
        self.jobs: list[Job] = []
        self.workers = 0
        try:
            self._start_all()
        except BaseException:
            self.__exit__()
            raise

    def _start_all(self) -> None:
        master = ["org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]
        _, log = self._start("master", *master)
        self.url = _wait_for(log, r"Starting Spark master at (spark://\S+)")
        self.start_worker()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        for job in self.jobs:
            if job.process.poll() is None:
                job.kill()
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()

    def start_worker(self) -> None:
        self.workers += 1
        worker = ["org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--cores", "2", "--memory", "2g"]
        work = ["--webui-port", "0", "--work-dir", str(self.folder / "work"), self.url]
        self.worker, log = self._start(f"worker-{self.workers}", *worker, *work)
        _wait_for(log, r"(Successfully registered) with master")

    def kill_worker(self) -> None:
        """Kills the worker of Spark, whose executors end without it, and starts another one."""
        self.worker.kill()
        self.worker.wait()
        self.start_worker()

    def submit(self, name: str, *args: object, conf: Optional[dict] = None, until: Optional[Callable] = None) -> Job:
        """Runs a program on the cluster. ``until`` is called with the job while it runs."""
        job = Job(self, name, args, {**CONF, **(conf or {})})
        self.jobs.append(job)
        if until:
            until(job)
        return job

    def cpu(self) -> float:
        """Returns the seconds of CPU of the executors that have ended, and of their children."""
        return cpu(self.worker.pid, children=True)

    def wait_for_executors(self) -> None:
        """Waits for the end of all executors."""
        deadline = time.monotonic() + 60
        while any(map(self._is_executor, _pids())):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the worker of Spark, process {self.worker.pid}, still has executors after a minute")
            time.sleep(0.2)

    def _is_executor(self, pid: int) -> bool:
        """Whether a process is a child of the worker that has not ended. The script that starts the worker leaves a zombie."""
        state, parent = (_read(pid, "stat").rpartition(")")[2].split() + ["", ""])[:2]
        return parent == str(self.worker.pid) and state != "Z"

    def _start(self, name: str, *args: str) -> tuple[subprocess.Popen, Path]:
        log = self.folder / f"{name}.log"
        with open(log, "wb") as out:
            process = subprocess.Popen(
                [self.env.home / "bin" / "spark-class", *args], stdout=out, stderr=out, env=self.env.variables()
            )
        self.processes.append(process)
        return process, log


class Job:
    """A program that runs on a cluster, with its driver as a process group."""

    def __init__(self, cluster: Cluster, name: str, args: tuple, conf: dict) -> None:
        self.cluster, self.env, self.log = cluster, cluster.env, cluster.folder / f"{name}.log"
        command = [cluster.env.home / "bin" / "spark-submit", "--master", cluster.url]
        for key, value in conf.items():
            command += ["--conf", f"{key}={value}"]
        self.started = time.monotonic()
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                [*map(str, command), *map(str, args)],
                stdout=out,
                stderr=out,
                env=cluster.env.variables(),
                cwd=cluster.folder,
                start_new_session=True,
            )
        self.peaks: dict[str, int] = {}
        """Peak resident memory of one process, in MiB, by its kind."""
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()

    def kill(self) -> None:
        """Kills the driver."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def wait(self) -> float:
        """Waits for the end, and returns the duration in seconds."""
        if self.process.wait():
            raise RuntimeError(f"the job failed with exit code {self.process.returncode}: see {self.log}")
        self._sampler.join()
        return time.monotonic() - self.started

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def busy_worker(self, seconds: float) -> int:
        """Waits for a worker of Auspex that has used the CPU for some seconds, and returns its process id."""
        while self.process.poll() is None:
            for pid in workers(self.env):
                if cpu(pid) >= seconds:
                    return pid
            time.sleep(0.05)
        raise RuntimeError(f"the job ended before a worker was busy for {seconds} s: see {self.log}")

    def _sample(self) -> None:
        while self.process.poll() is None:
            for kind, pids in (("worker", workers(self.env)), ("python", pythons(self.env))):
                self.peaks[kind] = max([self.peaks.get(kind, 0), *map(peak, pids)])
            time.sleep(0.2)


def workers(env: Environment) -> Iterator[int]:
    """Returns the process ids of the workers of Auspex."""
    program = str(env.program.resolve())
    for pid in _pids():
        try:
            if os.readlink(f"/proc/{pid}/exe") == program:
                yield pid
        except OSError:
            continue


def pythons(env: Environment) -> Iterator[int]:
    """Returns the process ids of the Python workers of Spark."""
    for pid in _pids():
        words = _read(pid, "cmdline").split("\0")
        if words[0] == str(env.python) and "pyspark.daemon" in words:
            yield pid


def cpu(pid: int, children: bool = False) -> float:
    """Returns the seconds of CPU that a process has used, or its children that have ended."""
    fields = _read(pid, "stat").rpartition(")")[2].split()
    first = 13 if children else 11
    return (int(fields[first]) + int(fields[first + 1])) / os.sysconf("SC_CLK_TCK") if fields else 0


def peak(pid: int) -> int:
    """Returns the peak resident memory of a process in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", _read(pid, "status"))
    return int(found[1]) // 1024 if found else 0


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""


def _wait_for(log: Path, pattern: str, seconds: float = 300) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = re.search(pattern, log.read_text(errors="replace"))
        if found:
            return found[1]
        time.sleep(0.2)
    raise RuntimeError(f"{pattern!r} did not appear within {seconds:.0f} s in {log}")
