package io.github.hinny;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
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

    private static final Path DIRECTORY = Path.of(System.getProperty("java.io.tmpdir"));

    private static final Set<OpenOption> NEW_FILE = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);

    private static final FileAttribute<?>[] OWNER_ONLY =
            DIRECTORY.getFileSystem().supportedFileAttributeViews().contains("posix")
                    ? new FileAttribute<?>[] {
                        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                    }
                    : new FileAttribute<?>[0];

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

    /**
     * Returns a new file with all that is to be read from {@code in}; without one if that fails.
     *
     * <p>The file is written through what creates it: ext4 writes a file to its disk before the end of a close if it was
     * made before and truncated.
     */
    public File write(final InputStream in) throws IOException {
        final Path path = DIRECTORY.resolve("hinny-multipart-"
                + Long.toUnsignedString(ThreadLocalRandom.current().nextLong(), 36) + ".tmp");
        final File file = path.toFile();
        try (OutputStream out = Channels.newOutputStream(Files.newByteChannel(path, NEW_FILE, OWNER_ONLY))) {
            ALL.add(file);
            files.add(file);
            in.transferTo(out);
        } catch (final Throwable failure) {
            if (files.contains(file)) {
                delete(file);
            }
            throw failure;
        }
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
