// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/** An outgoing message, so that one sink writes to several topics. It is a Flink POJO. */
public class KafkaMessage {
    /** Header with the id of an anomaly or incident. */
    public static final String ID = "auspex.id";
    /** Header with the name of its event. */
    public static final String KIND = "auspex.kind";

    private static final ObjectMapper JSON = new ObjectMapper();

    public String topic;
    /** Key: the shard, so that the messages of a shard stay in order. */
    public String key;
    public byte[] value;
    /** Headers, or null. */
    public String id;
    public String kind;

    public KafkaMessage() {}

    private KafkaMessage(String topic, String key, byte[] value) {
        this.topic = topic;
        this.key = key;
        this.value = value;
    }

    static KafkaMessage of(String topic, Finding finding) {
        KafkaMessage m = new KafkaMessage(topic, finding.shard, finding.otlp);
        m.id = finding.id;
        m.kind = finding.kind;
        return m;
    }

    static KafkaMessage of(String topic, OtlpRecord gauges) {
        return new KafkaMessage(topic, gauges.shard, gauges.otlp);
    }

    /** Returns what was set aside as JSON, with the message in base64. */
    static KafkaMessage of(String topic, SetAside aside) throws JsonProcessingException {
        ObjectNode json = JSON.createObjectNode()
                .put("shard", aside.shard).put("reason", aside.reason).put("position", aside.position)
                .put("signal", aside.signal == 0 ? "" : String.valueOf((char) aside.signal)).put("otlp", aside.otlp);
        return new KafkaMessage(topic, aside.shard, JSON.writeValueAsBytes(json));
    }

    /** Writes the messages of a sink. */
    static final class Serializer implements KafkaRecordSerializationSchema<KafkaMessage> {
        @Override
        public ProducerRecord<byte[], byte[]> serialize(KafkaMessage m, KafkaSinkContext context, Long timestamp) {
            ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(m.topic, m.key.getBytes(StandardCharsets.UTF_8), m.value);
            if (m.id != null) {
                record.headers().add(ID, m.id.getBytes(StandardCharsets.UTF_8)).add(KIND, m.kind.getBytes(StandardCharsets.UTF_8));
            }
            return record;
        }
    }
}
