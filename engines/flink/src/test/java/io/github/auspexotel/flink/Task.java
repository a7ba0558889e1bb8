// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.util.OutputTag;

/** A task of an {@link AuspexFunction}. The watermark is two minutes after the latest record. */
final class Task implements AutoCloseable {
    private static final int GROUPS = 16;
    private static final long OUT_OF_ORDER = 120_000;
}
