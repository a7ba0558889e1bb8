// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.exporter.otlp.http.metrics.OtlpHttpMetricExporter;
import io.opentelemetry.exporter.otlp.metrics.OtlpGrpcMetricExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.resources.Resource;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.TimeUnit;

/**
 * Sends counters with the OpenTelemetry SDK, and sends again what was not acknowledged.
 *
 * <p>OtelSender.java grpc|http HOST:PORT RUN SENDER COUNT FOLDER
 *
 * <p>FOLDER/SENDER.sent and FOLDER/SENDER.acknowledged list the points, a number per line. A point is
 * listed as sent before it is, as acknowledged after it was.
 */
public final class OtelSender {
  private static final int BATCH = 50;
  private static final long TRY_FOR = TimeUnit.SECONDS.toMillis(20);

  /** Remembers the last result: forceFlush does not tell. */
  private static final class Remembering implements MetricExporter {
    private final MetricExporter exporter;
    private volatile boolean succeeded;

    Remembering(MetricExporter exporter) {
      this.exporter = exporter;
    }

    @Override
    public CompletableResultCode export(Collection<MetricData> metrics) {
      succeeded = false;
      CompletableResultCode result = exporter.export(metrics);
      result.join(10, TimeUnit.SECONDS);
      succeeded = result.isSuccess();
      return result;
    }

    @Override
    public CompletableResultCode flush() {
      return exporter.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
      return exporter.shutdown();
    }

    @Override
    public AggregationTemporality getAggregationTemporality(InstrumentType type) {
      return exporter.getAggregationTemporality(type);
    }
  }

  private static MetricExporter exporter(String protocol, String address) {
    Duration timeout = Duration.ofSeconds(5);
    if (protocol.equals("grpc")) {
      return OtlpGrpcMetricExporter.builder().setEndpoint("http://" + address).setTimeout(timeout).build();
    }
    return OtlpHttpMetricExporter.builder().setEndpoint("http://" + address + "/v1/metrics").setTimeout(timeout).build();
  }

  public static void main(String[] args) throws Exception {
    String run = args[2];
    String sender = args[3];
    int count = Integer.parseInt(args[4]);
    java.util.logging.LogManager.getLogManager().reset(); // suppress messages while the collector is stopped
    try (PrintWriter sent = new PrintWriter(Files.newBufferedWriter(Path.of(args[5], sender + ".sent")), true);
        PrintWriter acknowledged = new PrintWriter(Files.newBufferedWriter(Path.of(args[5], sender + ".acknowledged")), true)) {
      for (int first = 0; first < count; first += BATCH) {
        int end = Math.min(first + BATCH, count);
        Remembering out = new Remembering(exporter(args[0], args[1]));
        Resource resource =
            Resource.create(
                Attributes.of(AttributeKey.stringKey("service.name"), sender, AttributeKey.stringKey("service.instance.id"), String.valueOf(first)));
        SdkMeterProvider provider =
            SdkMeterProvider.builder()
                .setResource(resource)
                .registerMetricReader(PeriodicMetricReader.builder(out).setInterval(Duration.ofHours(1)).build())
                .build();
        LongCounter counter = provider.get("receiver").counterBuilder("receiver_events").build();
        for (int n = first; n < end; n++) {
          sent.println(n);
          counter.add(
              1,
              Attributes.of(
                  AttributeKey.stringKey("run"), run, AttributeKey.stringKey("sender"), sender, AttributeKey.stringKey("n"), String.valueOf(n)));
        }
        long until = System.currentTimeMillis() + TRY_FOR;
        while (true) {
          provider.forceFlush().join(10, TimeUnit.SECONDS);
          if (out.succeeded || System.currentTimeMillis() > until) {
            break;
          }
          Thread.sleep(200);
        }
        for (int n = first; out.succeeded && n < end; n++) {
          acknowledged.println(n);
        }
        provider.shutdown().join(10, TimeUnit.SECONDS);
      }
    }
    System.exit(0);
  }
}
