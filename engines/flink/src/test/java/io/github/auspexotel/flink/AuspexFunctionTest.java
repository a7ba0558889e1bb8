// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import static io.github.auspexotel.flink.Messages.START;
import static io.github.auspexotel.flink.Messages.disordered;
import static io.github.auspexotel.flink.Messages.fleet;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.util.ExceptionUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AuspexFunctionTest {
    private static final int SERVICES = 6;
    private static final List<OtlpRecord> FLEET = fleet(SERVICES, 60, 40);

    @TempDir Path folder;

    /** Returns the findings of each shard as a worker alone gives them, in the order of time. */
    private static List<String> expected(List<OtlpRecord> records) throws Exception {
        List<String> list = new ArrayList<>();
        List<OtlpRecord> sorted = new ArrayList<>(records);
        sorted.sort(OtlpRecord.ORDER);
        try (Worker worker = WorkerStarter.start(Task.settings())) {
            Evaluation all = new Evaluation();
            for (OtlpRecord record : sorted) {
                all.replies.add(worker.observe(record));
            }
            for (int s = 0; s < SERVICES; s++) {
                all.replies.add(worker.request(Worker.FLUSH, "service-" + s));
            }
            all.findings("").forEach(f -> list.add(text(f)));
        }
        list.sort(null);
        return list;
    }

    private static String text(Finding f) {
        return f.kind + " " + f.id + " " + HexFormat.of().formatHex(f.otlp);
    }

    private static List<String> texts(List<Finding> findings) {
        return findings.stream().map(AuspexFunctionTest::text).sorted().toList();
    }

    @Test
    void findingsAreThoseOfTheWorkerAlone() throws Exception {
        List<String> want = expected(FLEET);
        assertTrue(want.size() > 2 * SERVICES, "anomalies and incidents of half of the services, opened and closed");
        assertTrue(want.stream().anyMatch(f -> f.startsWith("auspex.incident")));
        assertTrue(want.stream().allMatch(f -> f.matches("auspex.(anomaly|incident) [0-9a-f]{16} .*")));
        try (Task task = new Task(Task.settings(), null)) {
            task.add(disordered(FLEET, 40));
            task.end();
            assertEquals(want, texts(task.findings()));
            assertEquals(0, task.late().size());
            assertEquals(0, task.errors().size());
            assertEquals(0, task.states(), "the state is removed");
            assertTrue(task.gauges().size() > SERVICES * 100);
        }
    }

    @Test
    void aRepeatedRecordIsEvaluatedOnce() throws Exception {
        List<OtlpRecord> twice = new ArrayList<>();
        FLEET.forEach(r -> twice.addAll(List.of(r, r)));
        try (Task task = new Task(Task.settings(), null)) {
            task.add(twice);
            task.end();
            assertEquals(expected(FLEET), texts(task.findings()));
        }
    }

    /** The state moves between two, three, and one tasks, at times within a fault and with records that wait. */
    @Test
    void aRescaledJobContinuesToTheBit() throws Exception {
        for (String backend : List.of("hashmap", "rocksdb")) {
            List<Finding> findings = new ArrayList<>();
            OperatorSubtaskState state = null;
            int[] parallelism = {2, 3, 1};
            List<Integer> cuts = List.of(0, FLEET.size() * 70 / 100, FLEET.size() * 71 / 100, FLEET.size());
            for (int phase = 0; phase < parallelism.length; phase++) {
                List<OperatorSubtaskState> states = new ArrayList<>();
                for (int index = 0; index < parallelism[phase]; index++) {
                    try (Task task = new Task(Task.settings(), backend, parallelism[phase], index, phase == 0 ? 1 : parallelism[phase - 1], state)) {
                        task.add(FLEET.subList(cuts.get(phase), cuts.get(phase + 1)));
                        states.add(task.snapshot());
                        if (phase == parallelism.length - 1) {
                            task.end();
                        }
                        findings.addAll(task.findings());
                    }
                }
                state = Task.merge(states);
            }
            assertEquals(expected(FLEET), texts(findings), backend);
        }
    }

    /** After a failure, findings since the checkpoint are emitted again, with the same bytes, and no others. */
    @Test
    void aTaskContinuesFromItsCheckpoint() throws Exception {
        int cut = FLEET.size() * 70 / 100;
        List<Finding> before;
        OperatorSubtaskState state;
        try (Task task = new Task(Task.settings(), null)) {
            task.add(FLEET.subList(0, cut));
            state = task.snapshot();
            before = new ArrayList<>(task.findings());
            task.add(FLEET.subList(cut, cut + 300)); // lost
        }
        try (Task task = new Task(Task.settings(), state)) {
            task.add(FLEET.subList(cut, FLEET.size()));
            task.end();
            before.addAll(task.findings());
        }
        assertEquals(expected(FLEET), texts(before));
    }

    @Test
    void aLateRecordIsSetAside() throws Exception {
        try (Task task = new Task(Task.settings(), null)) {
            task.add(FLEET);
            List<OtlpRecord> late = OtlpSplitter.split(Signal.LOGS, Messages.logs("service-1", "late", START + 60_000), "l-0@7");
            task.add(late);
            task.end();
            assertEquals(List.of("l-0@7"), task.late().stream().map(r -> r.position).toList());
            assertEquals(expected(FLEET), texts(task.findings()));
        }
    }

    /**
     * The sender of a service was disconnected, and then sends one signal after the other. Its records are behind the
     * watermark, but no later ones of its shard are evaluated.
     */
    @Test
    void aShardThatFollowsLaterIsNotLate() throws Exception {
        List<OtlpRecord> rest = FLEET.stream().filter(r -> !r.shard.equals("service-2")).toList();
        List<OtlpRecord> backlog = new ArrayList<>(FLEET.stream().filter(r -> r.shard.equals("service-2")).toList());
        backlog.sort(Comparator.comparing(r -> r.signal));
        try (Task task = new Task(Task.settings(), null)) {
            task.add(rest);
            long evaluated = task.counters().evaluated.getCount();
            task.add(backlog);
            assertEquals(evaluated, task.counters().evaluated.getCount());
            task.pass(120_000);
            assertTrue(task.counters().evaluated.getCount() > evaluated + backlog.size() * 9 / 10, "without waiting for the end");
            task.end();
            assertEquals(0, task.late().size());
            assertEquals(expected(FLEET), texts(task.findings()));
        }
    }

    @Test
    void aRecordThatTheWorkerRejectsIsSetAside() throws Exception {
        List<OtlpRecord> records = new ArrayList<>(FLEET);
        OtlpRecord poison = new OtlpRecord("service-1", Signal.TRACES.letter, FLEET.get(900).time, Messages.bytes(1, Messages.fixed64(2, 1)), "t-0@9");
        records.add(900, poison);
        OtlpRecord alone = new OtlpRecord("only poison", Signal.TRACES.letter, FLEET.get(900).time, Messages.bytes(1, Messages.fixed64(2, 1)), "t-0@10");
        records.add(901, alone);
        try (Task task = new Task(Task.settings(), null)) {
            task.add(records);
            task.end();
            assertEquals(List.of("t-0@10", "t-0@9"), task.errors().stream().map(e -> e.position).sorted().toList());
            assertTrue(task.errors().get(0).reason.contains("not OTLP"), task.errors().get(0).reason);
            assertEquals(expected(FLEET), texts(task.findings()));
        }
    }

    /** Shards that do not fit into the worker are restored from their snapshot and journal. */
    @Test
    void moreShardsThanTheWorkerHolds() throws Exception {
        List<OtlpRecord> many = fleet(12, 30, 20);
        List<String> findings;
        List<String> gauges;
        try (Task task = new Task(Task.settings(), null)) {
            task.add(many);
            task.end();
            findings = texts(task.findings());
            gauges = gauges(task);
            assertEquals(0, task.counters().restored.getCount());
        }
        assertTrue(findings.size() > 12);
        try (Task task = new Task(Task.settings().memory(100_000), null)) {
            task.add(many);
            task.end();
            assertEquals(findings, texts(task.findings()));
            assertEquals(gauges, gauges(task));
            assertTrue(task.counters().restored.getCount() > 120);
            assertTrue(task.counters().replayed.getCount() > 0);
        }
    }

    private static List<String> gauges(Task task) {
        return task.gauges().stream().map(g -> g.shard + " " + g.time + " " + HexFormat.of().formatHex(g.otlp)).sorted().toList();
    }

    @Test
    void aKilledWorkerIsReplaced() throws Exception {
        try (Task task = new Task(Task.settings(), null)) {
            for (int from = 0; from < FLEET.size(); from += 700) {
                task.add(FLEET.subList(from, Math.min(from + 700, FLEET.size())));
                task.killWorker();
            }
            task.end();
            assertEquals(expected(FLEET), texts(task.findings()));
            assertTrue(task.counters().restarts.getCount() >= 3);
            assertEquals(0, task.errors().size());
        }
    }

    @Test
    void aShardThatEndsTheWorkerTwiceIsSetAside() throws Exception {
        List<OtlpRecord> records = new ArrayList<>(FLEET);
        OtlpRecord deadly = OtlpSplitter.split(Signal.LOGS, Messages.logs("service-3", "DEADLY", START + 50 * 60_000), "l-0@66").get(0);
        records.add(FLEET.size() * 50 / 60, deadly);
        try (Task task = new Task(Task.settings().worker(wrapper("if b'DEADLY' in frame: os._exit(3)")), null)) {
            task.add(records);
            OperatorSubtaskState state = task.snapshot();
            task.end();
            assertEquals(List.of("l-0@66"), task.errors().stream().map(e -> e.position).toList());
            String reason = task.errors().get(0).reason;
            assertTrue(reason.contains("service-3") && reason.contains("exit code 3"), reason);
            assertEquals(withoutShard(expected(FLEET), "service-3"), texts(task.findings().stream().filter(f -> !f.shard.equals("service-3")).toList()));
            Counters counters = task.counters();
            assertTrue(counters.failedShard.getCount() > 100);
            assertEquals(records.size(), counters.evaluated.getCount() + counters.errors.getCount() + counters.failedShard.getCount(), "each record is counted");
            try (Task next = new Task(Task.settings(), state)) {
                next.add(OtlpSplitter.split(Signal.LOGS, Messages.logs("service-3", "x", START + 61 * 60_000), ""));
                assertEquals(1, next.counters().failedShard.getCount(), "the state knows it");
            }
        }
    }

    private static List<String> withoutShard(List<String> findings, String shard) {
        String hex = HexFormat.of().formatHex(shard.getBytes());
        return findings.stream().filter(f -> !f.contains(hex)).toList();
    }

    /** A worker that hangs is killed, like one that crashes. */
    @Test
    void aWorkerThatDoesNotReplyIsReplaced() throws Exception {
        String once = "if b'SLOW' in frame and not os.path.exists('" + folder.resolve("hung") + "'): open('" + folder.resolve("hung") + "', 'w'); time.sleep(60)";
        List<OtlpRecord> records = OtlpSplitter.split(Signal.LOGS, Messages.logs("service-0", "SLOW", START), "");
        try (Task task = new Task(Task.settings().worker(wrapper(once)).timeout(Duration.ofSeconds(8)), null)) {
            task.add(records);
            task.end();
            assertEquals(1, task.counters().restarts.getCount());
            assertEquals(1, task.counters().evaluated.getCount());
        }
    }

    @Test
    void aSavepointOfAnotherVersionIsRejected() throws Exception {
        OperatorSubtaskState state;
        try (Task task = new Task(Task.settings().worker(wrapper("", "out = out.replace(b'\"version\":', b'\"version\":\"0.0.9\",\"x\":').replace(b'\"state\":\"', b'\"state\":\"8')")), null)) {
            task.add(FLEET.subList(0, 100));
            state = task.snapshot();
        }
        Exception e = assertThrows(Exception.class, () -> new Task(Task.settings(), state).close());
        String message = ExceptionUtils.stringifyException(e);
        assertTrue(message.contains("the savepoint has states of version 81.9, written by auspex 0.0.9"), message);
        assertTrue(message.contains("reads version 1.9"), message);
    }

    @Test
    void aWorkerThatDoesNotStartFailsTheTask() {
        assertThrows(Exception.class, () -> new Task(Task.settings().worker("/nowhere/auspex"), null).close());
        Exception e = assertThrows(Exception.class, () -> new Task(Task.settings().engine("{\"alarms\": 1}"), null).close());
        assertTrue(e.getMessage().contains("unknown field \"alarms\""), e.getMessage());
    }

    /** Returns a program that passes messages to the real worker and back, and runs Python code for each. */
    private String wrapper(String onRequest, String... onReply) throws Exception {
        Path file = folder.resolve("worker-" + onRequest.hashCode() + ".py");
        Files.writeString(file, """
                #!/usr/bin/env python3
                import os, struct, subprocess, sys, time
                worker = subprocess.Popen([%s] + sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                def read(pipe):
                    head = pipe.read(4)
                    return head + pipe.read(struct.unpack('>I', head)[0]) if head else b''
                while frame := read(sys.stdin.buffer):
                    %s
                    worker.stdin.write(frame); worker.stdin.flush()
                    out = read(worker.stdout)
                    %s
                    out = struct.pack('>I', len(out) - 4) + out[4:]
                    sys.stdout.buffer.write(out); sys.stdout.buffer.flush()
                """.formatted("'" + Task.program() + "'", onRequest.isEmpty() ? "pass" : onRequest, onReply.length == 0 ? "pass" : onReply[0]));
        assertTrue(file.toFile().setExecutable(true));
        return file.toString();
    }
}
