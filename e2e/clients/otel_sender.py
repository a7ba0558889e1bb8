# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Sends counters with the OpenTelemetry SDK, and resends unacknowledged data.

    otel_sender.py grpc|http HOST:PORT RUN SENDER COUNT FOLDER

FOLDER/SENDER.sent and FOLDER/SENDER.acknowledged list the points, a number per
line. A point is listed as sent before it is, as acknowledged after it was.
"""

import logging
import sys
import time

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExportResult, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

BATCH = 50
TRY_FOR = 20  # seconds


def exporter(protocol, address):
    """Returns an exporter that stores its last result, because force_flush does not return it."""
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter

        made = OTLPMetricExporter(endpoint=address, insecure=True, timeout=5)
    else:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

        made = OTLPMetricExporter(endpoint=f"http://{address}/v1/metrics", timeout=5)
    export = made.export

    def remember(*args, **kwargs):
        made.last = MetricExportResult.FAILURE
        made.last = export(*args, **kwargs)
        return made.last

    made.last, made.export = MetricExportResult.FAILURE, remember
    return made


def main():
    protocol, address, run, sender, count, folder = sys.argv[1:]
    logging.disable(logging.CRITICAL)  # the collector is stopped now and then
    with open(f"{folder}/{sender}.sent", "w", buffering=1) as sent, open(f"{folder}/{sender}.acknowledged", "w", buffering=1) as acknowledged:
        for first in range(0, int(count), BATCH):
            numbers = range(first, min(first + BATCH, int(count)))
            out = exporter(protocol, address)
            resource = Resource.create({"service.name": sender, "service.instance.id": str(first)})
            provider = MeterProvider(metric_readers=[PeriodicExportingMetricReader(out, export_interval_millis=3_600_000)], resource=resource, shutdown_on_exit=False)
            counter = provider.get_meter("receiver").create_counter("receiver_events")
            for n in numbers:
                sent.write(f"{n}\n")
                counter.add(1, {"run": run, "sender": sender, "n": str(n)})
            until = time.monotonic() + TRY_FOR
            while True:
                provider.force_flush(10_000)
                if out.last == MetricExportResult.SUCCESS or time.monotonic() > until:
                    break
                time.sleep(0.2)
            if out.last == MetricExportResult.SUCCESS:
                acknowledged.writelines(f"{n}\n" for n in numbers)
            provider.shutdown()


main()
