# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Sends events with the bulk helpers of Elastic's own client, and resends unacknowledged data.

    elasticsearch_bulk_sender.py URL RUN SENDER COUNT FOLDER

FOLDER/SENDER.sent and FOLDER/SENDER.acknowledged list the events, a number per
line. An event is listed as sent before it is, as acknowledged after it was.
"""

import logging
import sys
import time

from elasticsearch import Elasticsearch, TransportError, helpers

WINDOW = 500
STARTED = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())


def action(run, sender, n):
    """Returns event n with a unique id."""
    return {
        "_op_type": "create" if n % 2 else "index", "_index": "receivers-python", "_id": f"{run}-{sender}-{n}",
        "@timestamp": STARTED, "message": f"line {n} of {sender}", "run": run, "sender": sender, "n": n,
    }


def main():
    url, run, sender, count, folder = sys.argv[1:]
    logging.getLogger("elastic_transport").setLevel(logging.CRITICAL)
    client = Elasticsearch(url, http_compress=True, request_timeout=60)
    assert client.ping() and client.info()["version"]["number"]
    if not client.indices.exists(index="receivers-python"):
        client.indices.create(index="receivers-python")
    with open(f"{folder}/{sender}.sent", "w", buffering=1) as sent, open(f"{folder}/{sender}.acknowledged", "w", buffering=1) as acknowledged:
        for first in range(0, int(count), WINDOW):
            left = list(range(first, min(first + WINDOW, int(count))))
            sent.write("".join(f"{n}\n" for n in left))
            sent.flush()
            while left:
                done = set()
                try:
                    answers = helpers.streaming_bulk(client, (action(run, sender, n) for n in left), chunk_size=100, raise_on_error=False)
                    for n, (ok, _) in zip(left, answers):
                        if ok:
                            done.add(n)
                except (TransportError, ConnectionError):
                    time.sleep(0.1)
                acknowledged.write("".join(f"{n}\n" for n in sorted(done)))
                acknowledged.flush()
                left = [n for n in left if n not in done]
    client.close()


main()
