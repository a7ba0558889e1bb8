// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process {@code auspex worker shard}, which evaluates shards. It belongs to one task and to one thread.
 * engines/worker/README.md specifies the messages.
 */
final class Worker implements AutoCloseable {
    static final byte OBSERVE = 'O';
    static final byte SNAPSHOT = 'S';
    static final byte RESTORE = 'T';
    static final byte FLUSH = 'F';
    static final byte DROP = 'D';
    static final byte GAUGES = 'G';

    private static final byte HELLO = 'H';
    private static final byte RESULT = 'R';
    private static final byte ERROR = 'E';
    private static final int PROTOCOL = 1;
    private static final int HEADER = 5;
    private static final int MAX_FRAME = 64 << 20;
    private static final String MEMORY_MIB = String.valueOf(1 << 20); // the task bounds it, see Shards
    private static final int STDERR_LINES = 20;
    private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final byte[] NOTHING = {};

    /** Version of the program. */
    final String version;
    /** Version of the states that it writes and reads. */
    final String stateVersion;

    private final Process process;
    private final DataOutputStream to;
    private final DataInputStream from;
    private final Thread reader;
    private final Deque<String> stderr = new ArrayDeque<>();
    private final long timeout;
    private volatile long deadline; // System.nanoTime, or 0 while no request is open
    private volatile boolean late;

    /** Starts a worker. Throws IOException if it does not start, or rejects the settings. */
    Worker(Path program, AuspexSettings settings) throws IOException {
        timeout = settings.timeout.toNanos();
        process = new ProcessBuilder(program.toString(), "worker", "shard", "--memory-mib", MEMORY_MIB, "--live", String.valueOf(settings.live())).start();
        to = new DataOutputStream(new BufferedOutputStream(process.getOutputStream(), 1 << 16));
        from = new DataInputStream(new BufferedInputStream(process.getInputStream(), 1 << 16));
        reader = daemon("auspex-worker-stderr", this::readErrors);
        daemon("auspex-worker-watchdog", this::watch);
        try {
            ObjectNode hello = JSON.createObjectNode().put("protocol", PROTOCOL).put("findings", "otlp").put("ordered", true);
            hello.set("engine", JSON.readTree(settings.engine));
            JsonNode reply = JSON.readTree(request(HELLO, "", JSON.writeValueAsBytes(hello)));
            version = reply.path("version").asText();
            stateVersion = reply.path("state").asText();
        } catch (IOException e) {
            close();
            throw e;
        } catch (WorkerRejection e) {
            close();
            throw new IOException(program + ": " + e.getMessage(), e);
        }
    }

    private static Thread daemon(String name, Runnable run) {
        Thread thread = new Thread(run, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /** Observes a record, and returns the findings as OTLP logs. */
    byte[] observe(OtlpRecord record) throws WorkerDeath, WorkerRejection {
        return request(OBSERVE, record.shard, new byte[] {record.signal}, record.otlp);
    }

    /** Sends a request and returns the body of its reply. */
    byte[] request(byte type, String shard, byte[]... body) throws WorkerDeath, WorkerRejection {
        byte[] key = shard.getBytes(StandardCharsets.UTF_8);
        long size = HEADER + key.length + Arrays.stream(body).mapToLong(part -> part.length).sum();
        if (size > MAX_FRAME) {
            throw new WorkerRejection("a message of " + size + " bytes exceeds " + MAX_FRAME + ": send smaller ones");
        }
        deadline = System.nanoTime() + timeout | 1; // not 0
        try {
            send(type, key, (int) size, body);
            return reply(key);
        } catch (IOException e) {
            throw died(e);
        } finally {
            deadline = 0;
        }
    }

    private void send(byte type, byte[] key, int size, byte[]... body) {
        try {
            to.writeInt(size);
            to.writeByte(type);
            to.writeInt(key.length);
            to.write(key);
            for (byte[] part : body) {
                to.write(part);
            }
            to.flush();
        } catch (IOException e) {
            // The worker has ended. Its last reply, if any, states why.
        }
    }

    private byte[] reply(byte[] key) throws IOException, WorkerRejection {
        int size = from.readInt();
        if (size < HEADER || size > MAX_FRAME) {
            throw new IOException("a reply of " + size + " bytes");
        }
        byte type = from.readByte();
        int length = from.readInt();
        if (length < 0 || length > size - HEADER) {
            throw new IOException("a key of " + length + " bytes in a reply of " + size);
        }
        byte[] answered = from.readNBytes(length);
        byte[] body = from.readNBytes(size - HEADER - length);
        if (answered.length < length || body.length < size - HEADER - length) {
            throw new IOException("its output ended within a reply");
        }
        if (type == ERROR) {
            throw new WorkerRejection(JSON.readTree(body).path("error").asText());
        }
        if (type != RESULT || !Arrays.equals(answered, key)) {
            throw new IOException("unexpected reply of type " + (char) type);
        }
        return body.length == 0 ? NOTHING : body;
    }

    /** Ends the worker and returns the error with its exit code and its last messages. */
    private WorkerDeath died(IOException cause) {
        String what = late ? "no reply within " + TimeUnit.NANOSECONDS.toSeconds(timeout) + " s" : "no further output";
        String code = "unknown";
        try {
            if (!process.waitFor(1, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            code = String.valueOf(process.waitFor());
            reader.join(TimeUnit.SECONDS.toMillis(1));
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        synchronized (stderr) {
            String message = cause.getMessage() == null ? what : what + " (" + cause.getMessage() + ")";
            return new WorkerDeath("auspex worker: " + message + "; exit code " + code + "; its last messages: " + String.join("\n", stderr), cause);
        }
    }

    private void readErrors() {
        try (BufferedReader lines = process.errorReader(StandardCharsets.UTF_8)) {
            for (String line; (line = lines.readLine()) != null; ) {
                LOG.warn("auspex worker {}: {}", process.pid(), line);
                synchronized (stderr) {
                    stderr.add(line);
                    if (stderr.size() > STDERR_LINES) {
                        stderr.remove();
                    }
                }
            }
        } catch (IOException e) {
            // The process has ended.
        }
    }

    /** Kills the process if a reply is late. A thread that waits for a reply cannot be interrupted. */
    private void watch() {
        try {
            while (!process.waitFor(Math.min(timeout, TimeUnit.SECONDS.toNanos(1)), TimeUnit.NANOSECONDS)) {
                long at = deadline;
                if (at != 0 && System.nanoTime() - at > 0) {
                    late = true;
                    process.destroyForcibly();
                }
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
        }
    }

    /** Returns the id of the process. */
    long pid() {
        return process.pid();
    }

    /** Ends the worker. Its shards are in the state of the job. */
    @Override
    public void close() {
        process.destroyForcibly();
    }
}
