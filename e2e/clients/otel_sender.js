// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Sends counters with the OpenTelemetry SDK, and resends unacknowledged data.
//
//     otel_sender.js grpc|http HOST:PORT RUN SENDER COUNT FOLDER
//
// FOLDER/SENDER.sent and FOLDER/SENDER.acknowledged list the points, a number per
// line. A point is listed as sent before it is sent, and as acknowledged after that.
// NODE_PATH must name the folder of the modules.

const fs = require('node:fs');
const { MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
const { resourceFromAttributes } = require('@opentelemetry/resources');

const [protocol, address, run, sender, count, folder] = process.argv.slice(2);
const batch = 50;
const tryFor = 20_000;

// exporter stores its last result, because forceFlush does not return it.
function exporter() {
  const { OTLPMetricExporter } = require(`@opentelemetry/exporter-metrics-otlp-${protocol}`);
  const made = new OTLPMetricExporter({ url: protocol === 'grpc' ? `http://${address}` : `http://${address}/v1/metrics`, timeoutMillis: 5000 });
  const send = made.export.bind(made);
  made.export = (metrics, done) => {
    made.succeeded = false;
    send(metrics, (result) => {
      made.succeeded = result.code === 0;
      done(result);
    });
  };
  return made;
}

async function main() {
  for (let first = 0; first < Number(count); first += batch) {
    const numbers = [];
    for (let n = first; n < Math.min(first + batch, Number(count)); n++) numbers.push(n);
    const out = exporter();
    const provider = new MeterProvider({
      resource: resourceFromAttributes({ 'service.name': sender, 'service.instance.id': String(first) }),
      readers: [new PeriodicExportingMetricReader({ exporter: out, exportIntervalMillis: 3_600_000 })],
    });
    const counter = provider.getMeter('receiver').createCounter('receiver_events');
    fs.appendFileSync(`${folder}/${sender}.sent`, numbers.join('\n') + '\n');
    for (const n of numbers) counter.add(1, { run, sender, n: String(n) });
    for (const until = Date.now() + tryFor; ; ) {
      await provider.forceFlush().catch(() => {});
      if (out.succeeded || Date.now() > until) break;
      await new Promise((done) => setTimeout(done, 200));
    }
    if (out.succeeded) fs.appendFileSync(`${folder}/${sender}.acknowledged`, numbers.join('\n') + '\n');
    await provider.shutdown().catch(() => {});
  }
}

main().then(() => process.exit(0));
