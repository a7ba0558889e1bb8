// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.StateBackendLoader;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.util.OutputTag;

/** A task of an {@link AuspexFunction}. The watermark follows the latest record by two minutes. */
final class Task implements AutoCloseable {
    private static final int GROUPS = 16;
    private static final long OUT_OF_ORDER = 120_000;
    private static final int WATERMARK_EVERY = 50; // records

    private final KeyedOneInputStreamOperatorTestHarness<String, OtlpRecord, Finding> harness;
    private final int parallelism;
    private final int index;
    private final AuspexFunction function;
    private long latest;
    private int added;

    Task(AuspexSettings settings, OperatorSubtaskState state) throws Exception {
        this(settings, "hashmap", 1, 0, 1, state);
    }

    /** Starts one of several tasks from the state of all tasks, which were {@code before} in number, or from none. */
    Task(AuspexSettings settings, String backend, int parallelism, int index, int before, OperatorSubtaskState state) throws Exception {
        this.parallelism = parallelism;
        this.index = index;
        function = new AuspexFunction(settings);
        harness = new KeyedOneInputStreamOperatorTestHarness<>(new KeyedProcessOperator<>(function), r -> r.shard, Types.STRING, GROUPS, parallelism, index);
        Configuration config = new Configuration().set(StateBackendOptions.STATE_BACKEND, backend);
        harness.setStateBackend(StateBackendLoader.loadStateBackendFromConfig(config, getClass().getClassLoader(), null));
        harness.setup();
        try {
            if (state != null) {
                harness.initializeState(AbstractStreamOperatorTestHarness.repartitionOperatorState(state, GROUPS, before, parallelism, index));
            }
            harness.open();
        } catch (Exception e) {
            harness.close();
            throw e;
        }
    }

    /** Returns settings with the program that engines/flink/test.sh builds. */
    static AuspexSettings settings() {
        return new AuspexSettings().worker(program());
    }

    static String program() {
        return System.getProperty("auspex.worker");
    }

    /** Adds the records that belong to this task. */
    void add(List<OtlpRecord> records) throws Exception {
        for (OtlpRecord record : records) {
            if (KeyGroupRangeAssignment.assignKeyToParallelOperator(record.shard, GROUPS, parallelism) == index) {
                harness.processElement(record, record.timestamp());
            }
            latest = Math.max(latest, record.timestamp());
            if (++added % WATERMARK_EVERY == 0) {
                harness.processWatermark(latest - OUT_OF_ORDER - 1);
            }
        }
    }

    /** Lets processing time pass, in milliseconds. */
    void pass(long time) throws Exception {
        harness.setProcessingTime(harness.getProcessingTime() + time);
    }

    /** Ends the input. */
    void end() throws Exception {
        harness.processWatermark(Long.MAX_VALUE);
    }

    OperatorSubtaskState snapshot() throws Exception {
        return harness.snapshot(1, 1);
    }

    static OperatorSubtaskState merge(List<OperatorSubtaskState> states) throws Exception {
        return AbstractStreamOperatorTestHarness.repackageState(states.toArray(OperatorSubtaskState[]::new));
    }

    List<Finding> findings() {
        return harness.extractOutputValues();
    }

    List<OtlpRecord> late() {
        return side(AuspexFunction.LATE);
    }

    List<SetAside> errors() {
        return side(AuspexFunction.ERRORS);
    }

    List<OtlpRecord> gauges() {
        return side(AuspexFunction.GAUGES);
    }

    private <T> List<T> side(OutputTag<T> tag) {
        Queue<StreamRecord<T>> output = harness.getSideOutput(tag);
        List<T> list = new ArrayList<>();
        if (output != null) {
            output.forEach(r -> list.add(r.getValue()));
        }
        return list;
    }

    /** Returns the number of entries in the keyed state. */
    int states() {
        return harness.numKeyedStateEntries();
    }

    Counters counters() {
        return function.counters();
    }

    /** Kills the worker with SIGKILL. */
    void killWorker() throws Exception {
        ProcessHandle worker = ProcessHandle.of(function.worker()).orElseThrow();
        worker.destroyForcibly();
        worker.onExit().get();
    }

    @Override
    public void close() throws Exception {
        harness.close();
    }
}
