// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

/** The state of an anomaly or incident after a change. The last one with an id is its last state. It is a Flink POJO. */
public class Finding {
    public String shard;
    /** Name of the event: {@code auspex.anomaly} or {@code auspex.incident}. */
    public String kind;
    /** Id of the anomaly or incident. A repeated finding has the same id and the same bytes. */
    public String id;
    /** OTLP logs in protobuf with one record, as the collector's receiver {@code findings} emits it. */
    public byte[] otlp;

    public Finding() {}

    /** Reads a ResourceLogs with one record: the fields event_name and attributes. */
    static Finding of(String shard, byte[] otlp) {
        Finding f = new Finding();
        f.shard = shard;
        f.otlp = otlp;
        String anomaly = null;
        String incident = null;
        Fields record = only(only(only(new Fields(otlp), 1), 2), 2);
        while (record.next()) {
            if (record.number == 12) {
                f.kind = record.text();
            } else if (record.number == 6) {
                Fields.Attribute attribute = Fields.attribute(record.message());
                switch (attribute.key()) {
                    case "anomaly.id" -> anomaly = attribute.text();
                    case "incident.id" -> incident = attribute.text();
                    default -> {} // another attribute
                }
            }
        }
        f.id = anomaly != null ? anomaly : incident; // an anomaly also has the id of its incident
        return f;
    }

    private static Fields only(Fields message, int field) {
        while (message.next()) {
            if (message.number == field) {
                return message.message();
            }
        }
        throw new IllegalArgumentException("a finding without field " + field);
    }
}
