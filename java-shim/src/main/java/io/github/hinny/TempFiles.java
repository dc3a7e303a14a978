package io.github.hinny;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Files in {@code java.io.tmpdir} that are deleted when they have not changed for a time, and at the end of the JVM.
 *
 * <p>Only their owner may read them. One thread looks after all of them, {@code hinny-temp-files}; it knows nothing of
 * those that their user deletes or moves away, soon after that.
 *
 * <p>Thread-safe.
 */
public final class TempFiles {
    /** Keeps files until the end of the JVM. */
    public static final long NEVER = -1;

    private static final long SWEEP_MIN_MS = 10;
    private static final long SWEEP_MAX_MS = 60_000;

    /** Those of all instances, for the end of the JVM. */
    private static final Set<File> ALL = ConcurrentHashMap.newKeySet();

    private static final ScheduledThreadPoolExecutor SWEEPER = new ScheduledThreadPoolExecutor(1, task -> {
        final Thread thread = new Thread(task, "hinny-temp-files");
        thread.setDaemon(true);
        return thread;
    });

    static {
        try {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> ALL.forEach(File::delete), "hinny-temp-files-end"));
        } catch (final IllegalStateException late) {
            // The JVM ends already: a file that is made now is left to the system's own cleaning.
        }
    }

    private final Set<File> files = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean swept = new AtomicBoolean();
    private final long expiresMs;

    /** Files that are deleted when they have not changed for so many milliseconds, or {@link #NEVER}. */
    public TempFiles(final long expiresMs) {
        this.expiresMs = expiresMs;
    }

    /** Returns a new, empty file. */
    public File create() throws IOException {
        final File file = Files.createTempFile("hinny-multipart-", ".tmp").toFile();
        ALL.add(file);
        files.add(file);
        if (swept.compareAndSet(false, true)) {
            sweepLater();
        }
        return file;
    }

    /** Deletes a file. */
    public void delete(final File file) {
        file.delete();
        forget(file);
    }

    private void sweepLater() {
        final long waitMs = expiresMs == NEVER ? SWEEP_MAX_MS : Math.min(SWEEP_MAX_MS, expiresMs);
        SWEEPER.schedule(this::sweep, Math.max(SWEEP_MIN_MS, waitMs), TimeUnit.MILLISECONDS);
    }

    private void sweep() {
        final long now = System.currentTimeMillis();
        for (final File file : files) {
            final long changed = file.lastModified();
            // 0 is a file that is gone.
            if (changed == 0 || expiresMs != NEVER && changed < now - expiresMs) {
                delete(file);
            }
        }
        swept.set(false);
        if (!files.isEmpty() && swept.compareAndSet(false, true)) {
            sweepLater();
        }
    }

    private void forget(final File file) {
        files.remove(file);
        ALL.remove(file);
    }
}
