package io.github.hinny;

import clojure.lang.ExceptionInfo;
import clojure.lang.Keyword;
import clojure.lang.PersistentArrayMap;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Finds, unpacks and loads the native library, once per class loader.
 *
 * <p>The order: the file that the system property {@value #PATH_PROPERTY} names, and nothing else; otherwise the
 * library that the jar carries for this platform, copied to a fresh private directory below {@value #WORKDIR_PROPERTY}
 * (or the JVM's temporary directory), loaded and deleted at once: Linux keeps the mapping. A copy is never shared, so
 * two JVMs or two class loaders cannot meet on one file, and none is left behind.
 *
 * <p>The outcome is kept. After a failure every call throws a new error with the same text, which names the platform,
 * what was tried, why it failed and what to set.
 *
 * <p>Thread-safe. {@link Native} must not call {@link #load} from its static initializer: this class's lock and the
 * lock of that initialization would be taken in both orders.
 */
public final class NativeLibrary {

    /** System property: the library file to load; nothing else is tried. */
    public static final String PATH_PROPERTY = "hinny.native.path";

    /** System property: the existing directory below which the jar's library is unpacked. */
    public static final String WORKDIR_PROPERTY = "hinny.native.workdir";

    private static final Keyword TYPE = Keyword.intern(null, "type");
    private static final Keyword UNAVAILABLE = Keyword.intern("hinny.error", "native-library");

    private static final String FILE_NAME = "libhinny.so";

    private static boolean attempted;
    private static Failure failure;

    private NativeLibrary() {}

    /**
     * Loads the library unless this class loader has it already.
     *
     * @throws UnsatisfiedLinkError with a readable text of several lines, each time, when it cannot be loaded
     */
    public static void load() {
        final UnsatisfiedLinkError error = unavailabilityCause();
        if (error != null) {
            throw error;
        }
    }

    /**
     * As {@link #load}, for what a program calls: each such function fails in the same way.
     *
     * @throws ExceptionInfo of {@code :type :hinny.error/native-library}, with the same text and the error as its cause,
     *     each time, when it cannot be loaded
     */
    static void need() {
        final UnsatisfiedLinkError error = unavailabilityCause();
        if (error != null) {
            throw new ExceptionInfo(
                    error.getMessage(), new PersistentArrayMap(new Object[] {TYPE, UNAVAILABLE}), error);
        }
    }

    /** Returns whether the library is loaded; loads it when nobody has tried. */
    public static boolean isAvailable() {
        return unavailabilityCause() == null;
    }

    /** Returns what {@link #load} throws, or null when the library is loaded; loads it when nobody has tried. */
    public static synchronized UnsatisfiedLinkError unavailabilityCause() {
        if (!attempted) {
            attempted = true;
            try {
                loadFirst();
            } catch (final Failure e) {
                failure = e;
            }
        }
        if (failure == null) {
            return null;
        }
        final UnsatisfiedLinkError error = new UnsatisfiedLinkError(failure.getMessage());
        error.initCause(failure.getCause());
        return error;
    }

    private static void loadFirst() throws Failure {
        final String explicit = System.getProperty(PATH_PROPERTY);
        if (explicit != null) {
            loadExplicit(explicit);
        } else {
            loadCarried(platform(System.getProperty("os.name"), System.getProperty("os.arch"), isMusl()));
        }
    }

    private static void loadExplicit(final String explicit) throws Failure {
        final String tried = "file " + explicit + " (-D" + PATH_PROPERTY + ")";
        final String remedy = "name a Hinny library of this version with -D"
                + PATH_PROPERTY
                + ", or leave the property out to use the one in the jar";
        try {
            final Path file = Path.of(explicit).toAbsolutePath();
            if (!Files.isRegularFile(file)) {
                throw new Failure(tried, "there is no such file", remedy, null);
            }
            System.load(file.toString());
            checkAbi();
        } catch (final InvalidPathException | LinkageError e) {
            throw new Failure(tried, e.getMessage(), remedy, e);
        }
    }

    private static void loadCarried(final String platform) throws Failure {
        final String resource = "/native/" + platform + "/" + FILE_NAME;
        final String chosen = System.getProperty(WORKDIR_PROPERTY);
        final String parent = chosen != null ? chosen : System.getProperty("java.io.tmpdir");
        final String tried = "resource "
                + resource
                + " of the jar, unpacked below "
                + parent
                + (chosen != null ? " (-D" + WORKDIR_PROPERTY + ")" : " (java.io.tmpdir)");
        final String remedy =
                "name an existing directory that is writable and not mounted noexec with -D" + WORKDIR_PROPERTY;
        try (InputStream library = NativeLibrary.class.getResourceAsStream(resource)) {
            if (library == null) {
                throw new Failure(
                        "resource " + resource + " of the jar",
                        "the jar carries no library for " + platform,
                        "build it from source on this platform (cargo build --release) and name the file with -D"
                                + PATH_PROPERTY,
                        null);
            }
            loadCopy(library, Path.of(parent).toAbsolutePath());
            checkAbi();
        } catch (final IOException | InvalidPathException e) {
            // The messages of file errors are bare paths; their class names say what happened.
            throw new Failure(tried, e.toString(), remedy, e);
        } catch (final LinkageError e) {
            throw new Failure(tried, e.getMessage(), remedy, e);
        }
    }

    /** Copies the library to a private directory, loads it there, and deletes both whatever happens. */
    private static void loadCopy(final InputStream library, final Path parent) throws IOException {
        if (!Files.isDirectory(parent)) {
            throw new NotDirectoryException(parent.toString());
        }
        final Path directory = Files.createTempDirectory(
                parent, "hinny-", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        final Path file = directory.resolve(FILE_NAME);
        try {
            Files.copy(library, file);
            System.load(file.toString());
        } finally {
            Files.deleteIfExists(file);
            Files.deleteIfExists(directory);
        }
    }

    private static void checkAbi() {
        final int library;
        try {
            library = Native.abiVersion();
        } catch (final UnsatisfiedLinkError e) {
            final UnsatisfiedLinkError error =
                    new UnsatisfiedLinkError("the file is a library, but not Hinny's: " + e.getMessage());
            error.initCause(e);
            throw error;
        }
        if (library != Records.ABI_VERSION) {
            throw new UnsatisfiedLinkError("the library has ABI version "
                    + library
                    + ", the Java classes need ABI version "
                    + Records.ABI_VERSION
                    + ": they are of different Hinny versions");
        }
    }

    /** Returns {@code <os>-<arch>}, with {@code -musl} behind it where the C library is musl. */
    static String platform(final String osName, final String osArch, final boolean musl) {
        final String os = osName.toLowerCase(Locale.ROOT).replace(' ', '_');
        final String arch = osArch.toLowerCase(Locale.ROOT);
        return os + "-" + (arch.equals("amd64") ? "x86_64" : arch) + (musl ? "-musl" : "");
    }

    /**
     * Returns whether this JVM runs on musl. Its own mappings decide: a glibc system may have musl's loader installed
     * too, so the file {@code /lib/ld-musl-*} decides only where the mappings cannot be read.
     */
    private static boolean isMusl() {
        try (Stream<String> mappings = Files.lines(Path.of("/proc/self/maps"))) {
            return mappings.anyMatch(line -> line.contains("/ld-musl-"));
        } catch (final IOException | RuntimeException mappingsUnreadable) {
            try (Stream<Path> files = Files.list(Path.of("/lib"))) {
                return files.anyMatch(file -> file.getFileName().toString().startsWith("ld-musl-"));
            } catch (final IOException | RuntimeException libUnreadable) {
                return false;
            }
        }
    }

    /** Why the library is not loaded; its message is the text that a user reads. */
    private static final class Failure extends Exception {
        private static final long serialVersionUID = 1L;

        Failure(final String tried, final String reason, final String remedy, final Throwable cause) {
            super(
                    "Hinny's native library cannot be loaded."
                            + "\n  platform: os "
                            + System.getProperty("os.name")
                            + ", arch "
                            + System.getProperty("os.arch")
                            + ", libc "
                            + (isMusl() ? "musl" : "glibc")
                            + ", JDK "
                            + System.getProperty("java.version")
                            + "\n  tried: "
                            + tried
                            + "\n  reason: "
                            + reason
                            + "\n  what to do: "
                            + remedy,
                    cause);
        }
    }
}
