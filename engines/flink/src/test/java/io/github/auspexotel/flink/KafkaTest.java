// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import static io.github.auspexotel.flink.Messages.START;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.util.ListCollector;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.types.Either;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class KafkaTest {
    private static final WatermarkStrategy<Either<OtlpRecord, SetAside>> WATERMARKS =
            WatermarkStrategy.<Either<OtlpRecord, SetAside>>forBoundedOutOfOrderness(Duration.ofMinutes(2)).withTimestampAssigner(AcceptedRecords::timestamp);

    private static List<Either<OtlpRecord, SetAside>> read(long written, byte[] value) {
        List<Either<OtlpRecord, SetAside>> list = new ArrayList<>();
        new OtlpDeserializer(Map.of("otlp_logs", Signal.LOGS)).deserialize(
                new ConsumerRecord<>("otlp_logs", 3, 42, written, TimestampType.CREATE_TIME, 0, 0, null, value, new RecordHeaders(), Optional.empty()),
                new ListCollector<>(list));
        return list;
    }

    private static String problem(long written, byte[] value) {
        SetAside aside = read(written, value).get(0).right();
        assertEquals("otlp_logs-3@42", aside.position);
        return aside.reason;
    }

    @Test
    void aMessageHasARecordForEachShard() {
        List<Either<OtlpRecord, SetAside>> list = read(START, Messages.join(Messages.logs("cart", "x", START), Messages.logs("pay", "x", START)));
        assertEquals(List.of("cart", "pay"), list.stream().map(e -> e.left().shard).toList());
        assertEquals("otlp_logs-3@42", list.get(0).left().position);
        assertEquals(List.of(), read(START, null));
    }

    @Test
    void whatCannotBeEvaluatedIsSetAside() {
        assertTrue(problem(START, "poison".getBytes(StandardCharsets.UTF_8)).startsWith("not OTLP in protobuf"));
        assertEquals("the message has no event time", problem(START, Messages.logs("cart", "x", 0)));
        String ahead = problem(START, Messages.logs("cart", "x", START + 600_001));
        assertTrue(ahead.contains("2026-05-04T00:10:00.001Z is more than ten minutes after 2026-05-04T00:00:00Z"), ahead);
        assertTrue(read(START, Messages.logs("cart", "x", START + 600_000)).get(0).isLeft());
        assertTrue(read(-1, Messages.logs("cart", "x", START)).get(0).isLeft(), "a record without a time");
    }

    /** A message that is set aside has no influence on the watermark. */
    @Test
    void theWatermarkFollowsTheRecords() {
        WatermarkGenerator<Either<OtlpRecord, SetAside>> generator = WATERMARKS.createWatermarkGenerator(null);
        assertEquals(START - 120_001, watermark(generator, read(START, Messages.logs("cart", "x", START)).get(0)));
        assertEquals(START - 120_001, watermark(generator, read(START, Messages.logs("cart", "x", START + 86_400_000)).get(0)));
        assertEquals(START - 119_001, watermark(generator, read(START, Messages.logs("cart", "x", START + 1_000)).get(0)));
    }

    private static long watermark(WatermarkGenerator<Either<OtlpRecord, SetAside>> generator, Either<OtlpRecord, SetAside> element) {
        long[] last = {Long.MIN_VALUE};
        WatermarkOutput output = new WatermarkOutput() {
            @Override
            public void emitWatermark(Watermark watermark) {
                last[0] = watermark.getTimestamp();
            }

            @Override
            public void markIdle() {}

            @Override
            public void markActive() {}
        };
        long timestamp = WATERMARKS.createTimestampAssigner(null).extractTimestamp(element, 0);
        generator.onEvent(element, timestamp, output);
        generator.onPeriodicEmit(output);
        return last[0];
    }

    @Test
    void messagesHaveAKeyAndHeaders() throws Exception {
        Finding finding = new Finding();
        finding.shard = "cart";
        finding.kind = "auspex.anomaly";
        finding.id = "0123456789abcdef";
        finding.otlp = new byte[] {1, 2};
        ProducerRecord<byte[], byte[]> record = new KafkaMessage.Serializer().serialize(KafkaMessage.of("findings", finding), null, 7L);
        assertEquals("findings", record.topic());
        assertArrayEquals("cart".getBytes(), record.key());
        assertArrayEquals(finding.otlp, record.value());
        assertArrayEquals(finding.id.getBytes(), record.headers().lastHeader(KafkaMessage.ID).value());
        assertArrayEquals(finding.kind.getBytes(), record.headers().lastHeader(KafkaMessage.KIND).value());

        SetAside aside = new SetAside("", "not OTLP", "otlp_logs-3@42", (byte) 'l', new byte[] {1, 2});
        record = new KafkaMessage.Serializer().serialize(KafkaMessage.of("errors", aside), null, 7L);
        JsonNode json = new ObjectMapper().readTree(record.value());
        assertEquals("{\"shard\":\"\",\"reason\":\"not OTLP\",\"position\":\"otlp_logs-3@42\",\"signal\":\"l\",\"otlp\":\"AQI=\"}", json.toString());
        assertNull(record.headers().lastHeader(KafkaMessage.ID));
    }

    @Test
    void optionsAreChecked() {
        assertTrue(problem("--brokers").contains("--brokers has no value"));
        assertTrue(problem("--color", "red").contains("unknown option --color"));
        assertTrue(problem().contains("--brokers is required"));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> new JobOptions("--brokers", "x", "--idle", "soon").idle()).getMessage().contains("--idle is soon"));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> new JobOptions("--brokers", "x", "--delivery", "twice").delivery()).getMessage().contains("exactly-once"));
        JobOptions o = new JobOptions("--brokers", "a:1", "--bounded", "--out-of-order", "PT3M", "--idle", "90s", "--delivery", "at-least-once", "--interval", "1s");
        assertTrue(o.bounded());
        assertEquals(Duration.ofMinutes(3), o.outOfOrder());
        assertEquals(Duration.ofSeconds(90), o.idle());
        assertEquals(Duration.ofSeconds(1), o.settings().interval);
        assertEquals(DeliveryGuarantee.AT_LEAST_ONCE, o.delivery());
    }

    private static String problem(String... args) {
        return assertThrows(IllegalArgumentException.class, () -> new JobOptions(args)).getMessage();
    }

    /** All types of the job have serializers of their own, which can read the state of a later version. */
    @Test
    void theJobHasNoGenericTypes() {
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(new Configuration().set(PipelineOptions.GENERIC_TYPES, false));
        AuspexJob.build(env, new JobOptions("--brokers", "localhost:9092"));
        assertTrue(env.getExecutionPlan().contains("auspex"));
    }
}
