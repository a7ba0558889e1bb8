# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Sends events with pylogbeat, and resends unacknowledged data.

    pylogbeat_sender.py HOST:PORT RUN SENDER COUNT FOLDER

FOLDER/SENDER.sent and FOLDER/SENDER.acknowledged list the events, a number per
line. An event is listed as sent before it is, as acknowledged after it was.
"""

import logging
import struct
import sys
import time

import pylogbeat

WINDOW = 500
STARTED = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())


def event(run, sender, n):
    """Returns event n. A third of the events have a position in a file, a third an id, and a third neither."""
    e = {"@timestamp": STARTED, "message": f"line {n} of {sender}", "run": run, "sender": sender, "n": n}
    if n % 3 == 0:
        e["agent"] = {"id": f"agent-{run}", "type": "filebeat"}
        e["log"] = {"offset": 64 * n, "file": {"path": f"/var/log/{sender}.log", "inode": "17"}}
    elif n % 3 == 1:
        e["@metadata"] = {"beat": "filebeat", "_id": f"{run}-{sender}-{n}"}
    return e


def main():
    address, run, sender, count, folder = sys.argv[1:]
    host, port = address.rsplit(":", 1)
    logging.getLogger("pylogbeat").setLevel(logging.CRITICAL)  # a broken connection is no news here
    client = pylogbeat.PyLogBeatClient(host, int(port), use_logging=True)
    with open(f"{folder}/{sender}.sent", "w", buffering=1) as sent, open(f"{folder}/{sender}.acknowledged", "w", buffering=1) as acknowledged:
        for first in range(0, int(count), WINDOW):
            numbers = range(first, min(first + WINDOW, int(count)))
            lines = "".join(f"{n}\n" for n in numbers)
            sent.write(lines)
            sent.flush()
            while True:
                try:
                    client.send([event(run, sender, n) for n in numbers])
                    break
                except (OSError, pylogbeat.ConnectionException, struct.error):
                    client.close()
                    time.sleep(0.1)
            acknowledged.write(lines)
            acknowledged.flush()
    client.close()


main()
