// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import java.util.List;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.TimeDomain;
import org.apache.flink.streaming.api.TimerService;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/**
 * Evaluates shards with {@code auspex worker}. The key of a record must be its shard.
 *
 * <p>Records wait in keyed state until the watermark has passed their interval. They are then evaluated in the order of
 * {@link OtlpRecord#ORDER}, so that each run gives the same findings, which are those of {@code auspex backtest otlp}. At
 * the end of the input, all windows of a shard close and its state is removed.
 */
public class AuspexFunction extends KeyedProcessFunction<String, OtlpRecord, Finding> implements CheckpointedFunction {
    /** Records whose interval was evaluated before they arrived. */
    public static final OutputTag<OtlpRecord> LATE = new OutputTag<>("late", Types.POJO(OtlpRecord.class));
    /** Records that the worker rejected, and the one with which a shard was set aside. */
    public static final OutputTag<SetAside> ERRORS = new OutputTag<>("errors", Types.POJO(SetAside.class));
    /** Gauges of each service as OTLP metrics, as the collector's receiver {@code findings} emits them. */
    public static final OutputTag<OtlpRecord> GAUGES = new OutputTag<>("gauges", Types.POJO(OtlpRecord.class));

    private static final long END = Long.MAX_VALUE;

    private final AuspexSettings settings;
    private transient ListState<String> versions;
    private transient ShardState state;
    private transient Shards shards;
    private transient Counters counters;

    public AuspexFunction(AuspexSettings settings) {
        this.settings = settings;
    }

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        versions = context.getOperatorStateStore().getUnionListState(new ListStateDescriptor<>("versions", Types.STRING));
    }

    @Override
    public void open(OpenContext context) throws Exception {
        state = new ShardState(getRuntimeContext());
        counters = new Counters(getRuntimeContext().getMetricGroup());
        shards = new Shards(settings, state, counters);
        shards.start();
        for (String saved : versions.get()) {
            shards.checkVersion(saved);
        }
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) throws Exception {
        versions.update(List.of(shards.version()));
    }

    @Override
    public void processElement(OtlpRecord record, Context context, Collector<Finding> out) throws Exception {
        Progress progress = state.progress();
        if (progress == null) {
            state.setProgress(progress = new Progress());
            context.timerService().registerEventTimeTimer(END);
        }
        long bucket = bucket(record);
        if (progress.failure != null) {
            counters.failedShard.inc();
        } else if (bucket <= progress.until) {
            counters.late.inc();
            context.output(LATE, record);
        } else {
            long due = state.has(bucket) ? 0 : register(context.timerService(), bucket);
            state.add(bucket, record, due);
            if (due > 0 && !progress.backlog) {
                progress.backlog = true;
                state.setProgress(progress);
            }
        }
    }

    /**
     * Sets the timer of a bucket. A bucket that is behind the watermark waits for its other records in processing time: its
     * sender was disconnected, and its signals do not arrive at the same time. Returns that time, or 0.
     */
    private long register(TimerService timers, long bucket) {
        long last = bucket - 1; // the last timestamp in it
        if (last > timers.currentWatermark()) {
            timers.registerEventTimeTimer(last);
            return 0;
        }
        long wait = Math.max(1, settings.backlog.toMillis());
        long due = (timers.currentProcessingTime() / wait + 2) * wait; // the same for many buckets
        timers.registerProcessingTimeTimer(due);
        return due;
    }

    /** Returns the end of the interval of a record. The intervals of shards are shifted, so that the load is even. */
    private long bucket(OtlpRecord record) {
        long interval = settings.interval.toMillis();
        long shift = Math.floorMod(record.shard.hashCode() * 0x9E3779B97F4A7C15L, interval);
        return Math.floorDiv(record.timestamp() - shift, interval) * interval + shift + interval;
    }

    @Override
    public void onTimer(long timestamp, OnTimerContext context, Collector<Finding> out) throws Exception {
        Progress progress = state.progress();
        if (progress == null) {
            return;
        }
        String shard = context.getCurrentKey();
        for (long bucket : due(timestamp, context.timeDomain(), progress)) {
            if (progress.failure == null) {
                emit(shard, bucket, shards.evaluate(shard, progress, bucket), context, out);
            }
        }
        if (context.timeDomain() == TimeDomain.PROCESSING_TIME) {
            progress.backlog = state.lastDue(progress, Long.MAX_VALUE) > progress.until;
            state.setProgress(progress);
        }
        if (timestamp == END) {
            if (progress.failure == null) {
                emit(shard, END, shards.finish(shard, progress), context, out);
            }
            state.clear();
        }
    }

    /** Returns the buckets for which a timer is set, and earlier ones that wait. */
    private List<Long> due(long timestamp, TimeDomain domain, Progress progress) throws Exception {
        if (domain == TimeDomain.PROCESSING_TIME) {
            return state.waiting(progress, state.lastDue(progress, timestamp));
        }
        if (timestamp == END || progress.backlog) {
            return state.waiting(progress, timestamp == END ? END : timestamp + 1);
        }
        return timestamp + 1 > progress.until ? List.of(timestamp + 1) : List.of();
    }

    private void emit(String shard, long bucket, Evaluation result, Context context, Collector<Finding> out) {
        for (SetAside rejected : result.rejected) {
            counters.errors.inc();
            context.output(ERRORS, rejected);
        }
        result.findings(shard).forEach(out::collect);
        if (result.gauges.length > 0) {
            context.output(GAUGES, new OtlpRecord(shard, Signal.METRICS.letter, bucket * 1_000_000, result.gauges, ""));
        }
    }

    /** Returns the metrics of this task. */
    Counters counters() {
        return counters;
    }

    /** Returns the process id of the worker. */
    long worker() {
        return shards.pid();
    }

    @Override
    public void close() {
        if (shards != null) {
            shards.close();
        }
    }
}
