// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Evaluates shards in a worker. Their state of record is the keyed state; the worker is a cache of it. */
final class Shards implements AutoCloseable {
    /** Deaths of the worker in one evaluation, by different requests, after which the task fails. */
    private static final int MOST_DEATHS = 5;
    /** What it takes to evaluate an empty record, in bytes of snapshot that take as long to write. */
    private static final long RECORD = 1024;
    private static final Logger LOG = LoggerFactory.getLogger(Shards.class);

    private final AuspexSettings settings;
    private final ShardState state;
    private final Counters counters;
    private final Map<String, Long> live = new HashMap<>(); // shards in the worker, and the bytes of their snapshots
    private long bytes; // of all of them
    private final Random random = new Random();
    private Worker worker;
    private Object request; // that is open: a record, or a byte of Worker

    Shards(AuspexSettings settings, ShardState state, Counters counters) {
        this.settings = settings;
        this.state = state;
        this.counters = counters;
    }

    void start() throws IOException {
        worker = WorkerStarter.start(settings);
    }

    /** Returns the versions of the states and of the program, for a checkpoint. */
    String version() {
        return worker.stateVersion + " " + worker.version;
    }

    /** Throws an error that ends the job if a checkpoint has states of another version. */
    void checkVersion(String saved) {
        String[] versions = saved.split(" ", 2);
        if (!versions[0].equals(worker.stateVersion)) {
            String problem = "the savepoint has states of version " + versions[0] + ", written by auspex " + versions[1]
                    + "; this worker is auspex " + worker.version + " and reads version " + worker.stateVersion
                    + ": start the job with the earlier release, or without the savepoint";
            throw new SuppressRestartsException(new IllegalStateException(problem)); // a restart cannot help
        }
    }

    /** Evaluates a bucket of the current key. */
    Evaluation evaluate(String shard, Progress progress, long bucket) throws Exception {
        List<OtlpRecord> waiting = state.bucket(bucket);
        List<OtlpRecord> records = distinct(waiting);
        return attempt(shard, progress, () -> {
            Evaluation result = new Evaluation();
            List<OtlpRecord> accepted = new ArrayList<>();
            for (OtlpRecord record : records) {
                observe(record, accepted, result);
            }
            if (!accepted.isEmpty()) {
                result.gauges = send(Worker.GAUGES, shard);
            }
            long added = accepted.stream().mapToLong(r -> r.otlp.length + RECORD).sum();
            boolean due = progress.journalBytes + added > progress.snapshotBytes;
            byte[] snapshot = due ? send(Worker.SNAPSHOT, shard) : null;
            keep(shard, due ? snapshot.length : progress.snapshotBytes);

            counters.evaluated.inc(accepted.size());
            counters.repeated.inc(waiting.size() - records.size());
            progress.until = bucket;
            progress.journalBytes += added;
            if (due) {
                state.setSnapshot(snapshot, progress);
                counters.snapshots.inc();
                counters.snapshotBytes.inc(snapshot.length);
            } else if (accepted.size() < waiting.size()) {
                state.setBucket(bucket, accepted);
            }
            state.setProgress(progress);
            return result;
        });
    }

    /** Closes what is open in the current key, at the end of the input. */
    Evaluation finish(String shard, Progress progress) throws Exception {
        if (progress.fresh()) {
            return new Evaluation();
        }
        return attempt(shard, progress, () -> {
            Evaluation result = new Evaluation();
            result.replies.add(send(Worker.FLUSH, shard));
            forget(shard);
            return result;
        });
    }

    private static List<OtlpRecord> distinct(List<OtlpRecord> sorted) {
        List<OtlpRecord> list = new ArrayList<>();
        for (OtlpRecord record : sorted) {
            if (list.isEmpty() || OtlpRecord.ORDER.compare(list.get(list.size() - 1), record) != 0) {
                list.add(record);
            }
        }
        return list;
    }

    private void observe(OtlpRecord record, List<OtlpRecord> accepted, Evaluation result) throws Exception {
        request = record;
        try {
            byte[] findings = worker.observe(record);
            accepted.add(record);
            if (findings.length > 0) {
                result.replies.add(findings);
            }
        } catch (WorkerRejection e) {
            result.rejected.add(new SetAside(record, e.getMessage()));
        }
    }

    private interface Step<T> {
        T run() throws Exception;
    }

    /**
     * Restores the shard if it is not in the worker, and runs an evaluation. If the worker dies, it repeats both with
     * another worker, in which the shard is alone. If the same request kills that one too, it sets the shard aside.
     */
    private Evaluation attempt(String shard, Progress progress, Step<Evaluation> evaluation) throws Exception {
        Object suspect = null;
        for (int deaths = 1; ; deaths++) {
            try {
                restore(shard, progress);
                return evaluation.run();
            } catch (WorkerDeath e) {
                LOG.warn("The worker died while it evaluated shard {}", shard, e);
                counters.restarts.inc();
                close();
                start();
                if (same(suspect, request)) {
                    return setAside(shard, progress, e);
                }
                if (deaths == MOST_DEATHS) {
                    throw e;
                }
                suspect = request;
            }
        }
    }

    private static boolean same(Object a, Object b) {
        return a instanceof OtlpRecord x && b instanceof OtlpRecord y ? OtlpRecord.ORDER.compare(x, y) == 0 : a != null && a.equals(b);
    }

    private Evaluation setAside(String shard, Progress progress, WorkerDeath death) throws Exception {
        progress.failure = "shard " + shard + " is set aside, because it ended the worker twice: " + death.getMessage();
        OtlpRecord record = request instanceof OtlpRecord r ? r : new OtlpRecord(shard, (byte) 0, 0, new byte[0], "");
        boolean waits = request instanceof OtlpRecord r && r.timestamp() >= progress.until; // otherwise it was evaluated before
        counters.failedShard.inc(state.waitingRecords(progress) - (waits ? 1 : 0));
        state.removeData();
        state.setProgress(progress);
        Evaluation result = new Evaluation();
        result.rejected.add(new SetAside(record, progress.failure));
        return result;
    }

    /** Restores a shard from its snapshot and its journal, whose findings have been emitted before. */
    private void restore(String shard, Progress progress) throws Exception {
        if (live.containsKey(shard) || progress.fresh()) {
            return;
        }
        byte[] snapshot = state.snapshot();
        if (snapshot != null) {
            request = Worker.RESTORE;
            worker.request(Worker.RESTORE, shard, snapshot);
        }
        for (long bucket : state.journal(progress)) {
            List<OtlpRecord> records = state.bucket(bucket);
            for (OtlpRecord record : records) {
                request = record;
                worker.observe(record);
            }
            if (!records.isEmpty()) {
                send(Worker.GAUGES, shard);
            }
            counters.replayed.inc(records.size());
        }
        counters.restored.inc();
    }

    private byte[] send(byte type, String shard) throws Exception {
        request = type;
        return worker.request(type, shard);
    }

    /**
     * Notes that a shard is in the worker. If the worker then holds too much, it drops about a quarter of the others. The
     * choice is random: shards are evaluated in turn, so that the least recently used one is the next one to be used.
     */
    private void keep(String shard, long size) throws WorkerDeath, WorkerRejection {
        Long before = live.put(shard, size);
        bytes += size - (before == null ? 0 : before);
        while (bytes > settings.memory && live.size() > 1) {
            for (String other : List.copyOf(live.keySet())) {
                if (!other.equals(shard) && random.nextInt(4) == 0) {
                    worker.request(Worker.DROP, other);
                    forget(other);
                }
            }
        }
    }

    private void forget(String shard) {
        Long size = live.remove(shard);
        bytes -= size == null ? 0 : size;
    }

    /** Returns the process id of the worker. */
    long pid() {
        return worker.pid();
    }

    /** Ends the worker. */
    @Override
    public void close() {
        live.clear();
        bytes = 0;
        if (worker != null) {
            worker.close();
        }
    }
}
