// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.KafkaSinkBuilder;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.types.Either;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;

/** Example: reads OTLP from Kafka, evaluates it, and writes findings, gauges, and errors to Kafka. */
public final class AuspexJob {
    /** Difference in event time between partitions beyond which a source waits, so that the state of the job is bounded. */
    private static final Duration DRIFT = Duration.ofHours(1);

    private AuspexJob() {}

    public static void main(String[] args) throws Exception {
        if (args.length == 0 || List.of(args).contains("--help")) {
            System.out.println(JobOptions.USAGE);
            return;
        }
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        build(env, new JobOptions(args));
        env.execute("auspex");
    }

    /** Adds the job to an environment. The names of operators are part of savepoints. */
    static void build(StreamExecutionEnvironment env, JobOptions o) {
        env.enableCheckpointing(o.checkpoint().toMillis(), CheckpointingMode.EXACTLY_ONCE);
        SingleOutputStreamOperator<OtlpRecord> records = env
                .fromSource(source(o), AcceptedRecords.watermarks(o.outOfOrder(), o.idle()).withWatermarkAlignment("auspex", DRIFT), "otlp").uid("otlp")
                .process(new AcceptedRecords()).name("accepted").uid("accepted");
        SingleOutputStreamOperator<Finding> findings = records
                .keyBy(record -> record.shard)
                .process(new AuspexFunction(o.settings())).name("auspex").uid("auspex");

        String findingsTopic = o.text("findings-topic");
        String gaugesTopic = o.text("gauges-topic");
        String errorsTopic = o.text("errors-topic");
        DataStream<KafkaMessage> errors = records.getSideOutput(AuspexFunction.ERRORS)
                .union(findings.getSideOutput(AuspexFunction.ERRORS))
                .union(findings.getSideOutput(AuspexFunction.LATE).map(AuspexJob::late).returns(SetAside.class))
                .map(aside -> KafkaMessage.of(errorsTopic, aside)).returns(Types.POJO(KafkaMessage.class));
        DataStream<KafkaMessage> gauges = findings.getSideOutput(AuspexFunction.GAUGES)
                .map(gauge -> KafkaMessage.of(gaugesTopic, gauge)).returns(Types.POJO(KafkaMessage.class));
        findings.map(finding -> KafkaMessage.of(findingsTopic, finding)).returns(Types.POJO(KafkaMessage.class))
                .union(gauges, errors)
                .sinkTo(sink(o)).name("kafka").uid("kafka");
    }

    private static SetAside late(OtlpRecord record) {
        return new SetAside(record, "the message is late: its interval was evaluated before it arrived; a longer --out-of-order waits for it");
    }

    private static KafkaSource<Either<OtlpRecord, SetAside>> source(JobOptions o) {
        Map<String, Signal> topics = Map.of(
                o.text("metrics-topic"), Signal.METRICS, o.text("logs-topic"), Signal.LOGS, o.text("traces-topic"), Signal.TRACES);
        KafkaSourceBuilder<Either<OtlpRecord, SetAside>> source = KafkaSource.<Either<OtlpRecord, SetAside>>builder()
                .setBootstrapServers(o.text("brokers"))
                .setTopics(List.copyOf(topics.keySet()))
                .setGroupId(o.text("group"))
                .setStartingOffsets(OffsetsInitializer.committedOffsets(OffsetResetStrategy.EARLIEST))
                .setProperties(o.kafka())
                .setDeserializer(new OtlpDeserializer(topics));
        return (o.bounded() ? source.setBounded(OffsetsInitializer.latest()) : source).build();
    }

    private static KafkaSink<KafkaMessage> sink(JobOptions o) {
        KafkaSinkBuilder<KafkaMessage> sink = KafkaSink.<KafkaMessage>builder()
                .setBootstrapServers(o.text("brokers"))
                .setKafkaProducerConfig(o.kafka())
                .setDeliveryGuarantee(o.delivery())
                .setRecordSerializer(new KafkaMessage.Serializer());
        if (o.delivery() == DeliveryGuarantee.EXACTLY_ONCE) {
            // The broker allows at most 15 minutes by default (transaction.max.timeout.ms).
            sink.setTransactionalIdPrefix(o.text("group")).setProperty("transaction.timeout.ms", "900000");
        }
        return sink.build();
    }
}
