// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import java.time.Instant;
import java.util.Map;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.typeutils.EitherTypeInfo;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.types.Either;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Reads messages of Kafka in the encoding {@code otlp_proto} of the collector. It returns a record for each shard, or what
 * cannot be evaluated: {@link AcceptedRecords} separates the two.
 *
 * <p>Division by shard is part of the source, because the source follows the event time of each partition.
 */
public final class OtlpDeserializer implements KafkaRecordDeserializationSchema<Either<OtlpRecord, SetAside>> {
    /** A message that is further ahead of the time of its Kafka record has a wrong clock, as in the collector. */
    private static final long AHEAD = 600_000;

    private final Map<String, Signal> topics;

    /** Creates a deserializer for topics, each with its signal. */
    public OtlpDeserializer(Map<String, Signal> topics) {
        this.topics = Map.copyOf(topics);
    }

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> message, Collector<Either<OtlpRecord, SetAside>> out) {
        Signal signal = topics.get(message.topic());
        String position = message.topic() + "-" + message.partition() + "@" + message.offset();
        byte[] value = message.value() == null ? new byte[0] : message.value();
        try {
            for (OtlpRecord record : OtlpSplitter.split(signal, value, position)) {
                String problem = problem(record, message.timestamp());
                out.collect(problem == null ? Either.Left(record) : Either.Right(new SetAside(record, problem)));
            }
        } catch (IllegalArgumentException e) {
            out.collect(Either.Right(new SetAside("", e.getMessage(), position, signal.letter, value)));
        }
    }

    private static String problem(OtlpRecord record, long written) {
        if (record.time == 0) {
            return "the message has no event time";
        }
        if (written >= 0 && record.timestamp() > written + AHEAD) {
            return "the event time " + Instant.ofEpochMilli(record.timestamp()) + " is more than ten minutes after " + Instant.ofEpochMilli(written)
                    + ", when Kafka received the message: correct the clock of the sender";
        }
        return null;
    }

    @Override
    public TypeInformation<Either<OtlpRecord, SetAside>> getProducedType() {
        return new EitherTypeInfo<>(Types.POJO(OtlpRecord.class), Types.POJO(SetAside.class));
    }
}
