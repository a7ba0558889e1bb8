// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.metrics.Counter;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.types.Either;
import org.apache.flink.util.Collector;

/** Separates the records of an {@link OtlpDeserializer} from what cannot be evaluated: {@link AuspexFunction#ERRORS}. */
public final class AcceptedRecords extends ProcessFunction<Either<OtlpRecord, SetAside>, OtlpRecord> {
    private transient Counter errors;

    /**
     * Returns a strategy for the source: the watermark of a partition is its latest event time less {@code outOfOrder}. A
     * partition without a message for the time {@code idle} does not hold it back.
     */
    public static WatermarkStrategy<Either<OtlpRecord, SetAside>> watermarks(Duration outOfOrder, Duration idle) {
        return WatermarkStrategy.<Either<OtlpRecord, SetAside>>forBoundedOutOfOrderness(outOfOrder)
                .withTimestampAssigner(AcceptedRecords::timestamp)
                .withIdleness(idle);
    }

    /** Returns the event time of an element. What is set aside does not advance the watermark. */
    static long timestamp(Either<OtlpRecord, SetAside> element, long written) {
        return element.isLeft() ? element.left().timestamp() : Long.MIN_VALUE;
    }

    @Override
    public void open(OpenContext context) {
        errors = getRuntimeContext().getMetricGroup().addGroup("auspex").counter("errors");
    }

    @Override
    public void processElement(Either<OtlpRecord, SetAside> element, Context context, Collector<OtlpRecord> out) {
        if (element.isLeft()) {
            out.collect(element.left());
        } else {
            errors.inc();
            context.output(AuspexFunction.ERRORS, element.right());
        }
    }
}
