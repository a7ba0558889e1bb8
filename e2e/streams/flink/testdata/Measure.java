// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

import io.github.auspexotel.flink.AuspexFunction;
import io.github.auspexotel.flink.AuspexSettings;
import io.github.auspexotel.flink.OtlpRecord;
import io.github.auspexotel.flink.OtlpSplitter;
import io.github.auspexotel.flink.Signal;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.lib.NumberSequenceSource;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.metrics.Counter;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;

/**
 * Endless messages of one data point for a number of keys, each with a message per minute of event time. They are
 * evaluated ({@code auspex}), or aggregated to count, sum, and sum of squares ({@code aggregate}).
 */
public class Measure {
    private static final long START = 1_800_000_000_000_000_000L;
    private static final long MINUTE = 60_000_000_000L;

    public static void main(String[] args) throws Exception {
        int keys = Integer.parseInt(args[1]);
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.enableCheckpointing(10_000);
        KeyedStream<OtlpRecord, String> records = env
                .fromSource(new NumberSequenceSource(0, Long.MAX_VALUE / MINUTE), WatermarkStrategy.noWatermarks(), "numbers").setParallelism(1)
                .flatMap((Long n, Collector<OtlpRecord> out) -> OtlpSplitter.split(Signal.METRICS, message(n, keys), "").forEach(out::collect))
                .returns(Types.POJO(OtlpRecord.class)).setParallelism(1)
                .assignTimestampsAndWatermarks(
                        WatermarkStrategy.<OtlpRecord>forMonotonousTimestamps().withTimestampAssigner((record, written) -> record.timestamp()))
                .setParallelism(1)
                .keyBy(record -> record.shard);
        if (args[0].equals("auspex")) {
            records.process(new AuspexFunction(new AuspexSettings())).sinkTo(new DiscardingSink<>());
        } else {
            records.process(new Aggregate()).sinkTo(new DiscardingSink<>());
        }
        env.execute(args[0] + " " + keys);
    }

    /** A plain aggregation: count, sum, and sum of squares of each key. */
    private static final class Aggregate extends KeyedProcessFunction<String, OtlpRecord, Double> {
        private transient ValueState<Tuple3<Long, Double, Double>> state;
        private transient Counter evaluated;

        @Override
        public void open(OpenContext context) {
            state = getRuntimeContext().getState(new ValueStateDescriptor<>("sums", Types.TUPLE(Types.LONG, Types.DOUBLE, Types.DOUBLE)));
            evaluated = getRuntimeContext().getMetricGroup().counter("evaluated");
        }

        @Override
        public void processElement(OtlpRecord record, Context context, Collector<Double> out) throws Exception {
            Tuple3<Long, Double, Double> sums = state.value();
            if (sums == null) {
                sums = Tuple3.of(0L, 0.0, 0.0);
            }
            double value = ByteBuffer.wrap(record.otlp, record.otlp.length - Double.BYTES, Double.BYTES).order(ByteOrder.LITTLE_ENDIAN).getDouble();
            state.update(Tuple3.of(sums.f0 + 1, sums.f1 + value, sums.f2 + value * value));
            evaluated.inc();
            out.collect(sums.f1);
        }
    }

    /** Returns OTLP metrics with a data point, whose value is in the last eight bytes. */
    private static byte[] message(long n, int keys) {
        ByteArrayOutputStream point = new ByteArrayOutputStream();
        fixed(point, 3, START + (long) (n * (double) MINUTE / keys));
        fixed(point, 4, Double.doubleToLongBits(100 + Math.floorMod(n * 0x9E3779B97F4A7C15L >>> 20, 1000) / 100.0));
        byte[] metric = join(field(1, "e2e.queue.length".getBytes(StandardCharsets.UTF_8)), field(5, field(1, point.toByteArray())));
        byte[] name = field(2, field(1, ("service-" + n % keys).getBytes(StandardCharsets.UTF_8)));
        byte[] attribute = join(field(1, "service.name".getBytes(StandardCharsets.UTF_8)), name);
        return field(1, join(field(1, field(1, attribute)), field(2, field(2, metric))));
    }

    private static void fixed(ByteArrayOutputStream to, int number, long value) {
        to.write(number << 3 | 1);
        to.writeBytes(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    }

    /** Returns a field with bytes, of which there are fewer than 16,384. */
    private static byte[] field(int number, byte[] content) {
        ByteArrayOutputStream to = new ByteArrayOutputStream();
        to.write(number << 3 | 2);
        if (content.length > 127) {
            to.write(content.length & 127 | 128);
            to.write(content.length >> 7);
        } else {
            to.write(content.length);
        }
        to.writeBytes(content);
        return to.toByteArray();
    }

    private static byte[] join(byte[] a, byte[] b) {
        ByteArrayOutputStream to = new ByteArrayOutputStream();
        to.writeBytes(a);
        to.writeBytes(b);
        return to.toByteArray();
    }
}
