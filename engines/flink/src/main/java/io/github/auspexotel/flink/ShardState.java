// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;

/**
 * The keyed state of a shard. Records are in buckets of event time, named by their end in milliseconds. Buckets after
 * {@link Progress#until} wait for the watermark. The others are the journal: what the worker has observed since the
 * snapshot. A record stays where it is when it becomes part of the journal. The state of the worker can thus be restored
 * from the keyed state at any time.
 */
final class ShardState {
    private final MapState<Tuple2<Long, Integer>, OtlpRecord> records; // by bucket and place in it
    private final MapState<Long, Tuple2<Integer, Long>> buckets; // number of places; processing time when it is due, or 0
    private final ValueState<byte[]> snapshot;
    private final ValueState<Progress> progress;

    ShardState(RuntimeContext context) {
        records = context.getMapState(new MapStateDescriptor<>("records", Types.TUPLE(Types.LONG, Types.INT), TypeInformation.of(OtlpRecord.class)));
        buckets = context.getMapState(new MapStateDescriptor<>("buckets", Types.LONG, Types.TUPLE(Types.INT, Types.LONG)));
        snapshot = context.getState(new ValueStateDescriptor<>("snapshot", PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO));
        progress = context.getState(new ValueStateDescriptor<>("progress", TypeInformation.of(Progress.class)));
    }

    /** Returns the progress, or null if the shard is not known. */
    Progress progress() throws Exception {
        return progress.value();
    }

    void setProgress(Progress value) throws Exception {
        progress.update(value);
    }

    byte[] snapshot() throws Exception {
        return snapshot.value();
    }

    /** Returns whether a bucket has records. */
    boolean has(long bucket) throws Exception {
        return buckets.contains(bucket);
    }

    /** Adds a record to a bucket. If it is the first one, the bucket is due at a processing time, or with the watermark if that is 0. */
    void add(long bucket, OtlpRecord record, long due) throws Exception {
        Tuple2<Integer, Long> known = buckets.get(bucket);
        int place = known == null ? 0 : known.f0;
        records.put(Tuple2.of(bucket, place), record);
        buckets.put(bucket, Tuple2.of(place + 1, known == null ? due : known.f1));
    }

    /** Returns the records of a bucket in the order of their evaluation. */
    List<OtlpRecord> bucket(long bucket) throws Exception {
        List<OtlpRecord> list = new ArrayList<>();
        int places = places(bucket);
        for (int place = 0; place < places; place++) {
            list.add(records.get(Tuple2.of(bucket, place)));
        }
        list.sort(OtlpRecord.ORDER);
        return list;
    }

    /** Replaces the records of a bucket. */
    void setBucket(long bucket, List<OtlpRecord> list) throws Exception {
        remove(bucket);
        for (OtlpRecord record : list) {
            add(bucket, record, 0);
        }
    }

    /** Returns the buckets that wait, up to one of them, in order. */
    List<Long> waiting(Progress p, long last) throws Exception {
        return buckets(bucket -> bucket > p.until && bucket <= last);
    }

    /** Returns the number of records that wait. */
    int waitingRecords(Progress p) throws Exception {
        int records = 0;
        for (long bucket : waiting(p, Long.MAX_VALUE)) {
            records += places(bucket);
        }
        return records;
    }

    /** Returns the last bucket that waits and is due at a processing time, or {@link Progress#until} if there is none. */
    long lastDue(Progress p, long time) throws Exception {
        long last = p.until;
        for (Map.Entry<Long, Tuple2<Integer, Long>> bucket : buckets.entries()) {
            long due = bucket.getValue().f1;
            if (due > 0 && due <= time) {
                last = Math.max(last, bucket.getKey());
            }
        }
        return last;
    }

    /** Returns the buckets that were evaluated since the snapshot, in order. */
    List<Long> journal(Progress p) throws Exception {
        return buckets(bucket -> bucket <= p.until);
    }

    private List<Long> buckets(Predicate<Long> wanted) throws Exception {
        List<Long> list = new ArrayList<>();
        for (Long bucket : buckets.keys()) {
            if (wanted.test(bucket)) {
                list.add(bucket);
            }
        }
        list.sort(null);
        return list;
    }

    /** Replaces the snapshot and empties the journal. */
    void setSnapshot(byte[] state, Progress p) throws Exception {
        for (long bucket : journal(p)) {
            remove(bucket);
        }
        snapshot.update(state);
        p.snapshotBytes = state.length;
        p.journalBytes = 0;
    }

    /** Removes everything but the progress. */
    void removeData() {
        records.clear();
        buckets.clear();
        snapshot.clear();
    }

    /** Removes everything. */
    void clear() {
        removeData();
        progress.clear();
    }

    private void remove(long bucket) throws Exception {
        int places = places(bucket);
        for (int place = 0; place < places; place++) {
            records.remove(Tuple2.of(bucket, place));
        }
        buckets.remove(bucket);
    }

    private int places(long bucket) throws Exception {
        Tuple2<Integer, Long> known = buckets.get(bucket);
        return known == null ? 0 : known.f0;
    }
}
