package io.github.hinny;

import clojure.lang.ExceptionInfo;
import clojure.lang.Keyword;
import clojure.lang.PersistentArrayMap;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;

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
    private static LibraryFailure failure;

    private static String loadedFrom;

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
            } catch (final LibraryFailure e) {
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

    /** Returns where the loaded library came from: a file, or a resource of the jar; null if none is loaded. */
    static synchronized String loadedFrom() {
        return loadedFrom;
    }

    private static void loadFirst() throws LibraryFailure {
        final String explicit = System.getProperty(PATH_PROPERTY);
        if (explicit != null) {
            loadExplicit(explicit);
        } else {
            loadCarried(
                    platform(System.getProperty("os.name"), System.getProperty("os.arch"), LibraryFailure.isMusl()));
        }
    }

    private static void loadExplicit(final String explicit) throws LibraryFailure {
        final String tried = "file " + explicit + " (-D" + PATH_PROPERTY + ")";
        Path file = null;
        try {
            file = Path.of(explicit).toAbsolutePath();
            if (!Files.isRegularFile(file)) {
                throw LibraryFailure.noFile(tried, file);
            }
            System.load(file.toString());
            checkAbi();
            loadedFrom = file.toString();
        } catch (final LinkageError | RuntimeException e) {
            throw LibraryFailure.of(tried, e, file, false);
        }
    }

    private static void loadCarried(final String platform) throws LibraryFailure {
        final String resource = "/native/" + platform + "/" + FILE_NAME;
        final String chosen = System.getProperty(WORKDIR_PROPERTY);
        final String parent = chosen != null ? chosen : System.getProperty("java.io.tmpdir");
        final String tried = "resource "
                + resource
                + " of the jar, unpacked below "
                + parent
                + (chosen != null ? " (-D" + WORKDIR_PROPERTY + ")" : " (java.io.tmpdir)");
        try (InputStream library = NativeLibrary.class.getResourceAsStream(resource)) {
            if (library == null) {
                throw LibraryFailure.notCarried(resource, platform);
            }
            loadCopy(library, Path.of(parent).toAbsolutePath());
            checkAbi();
            loadedFrom = resource + " of the jar";
        } catch (final IOException | LinkageError | RuntimeException e) {
            throw LibraryFailure.of(tried, e, null, true);
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
                    new LibraryFailure.AbiMismatch("the file is a library, but not Hinny's: " + e.getMessage());
            error.initCause(e);
            throw error;
        }
        if (library != Records.ABI_VERSION) {
            throw new LibraryFailure.AbiMismatch("the library has ABI version "
                    + library
                    + ", the Java classes need ABI version "
                    + Records.ABI_VERSION
                    + ": they are of different Hinny versions");
        }
    }

    /** Returns {@code <os>-<arch>}, with {@code -musl} behind it where the C library is musl. */
    static String platform(final String osName, final String osArch, final boolean musl) {
        final String os = osName.toLowerCase(Locale.ROOT).replace(' ', '_');
        return os + "-" + architecture(osArch) + (musl ? "-musl" : "");
    }

    /** Returns the name of a processor, of which the JVM has two for one. */
    static String architecture(final String osArch) {
        final String arch = osArch.toLowerCase(Locale.ROOT);
        return arch.equals("amd64") ? "x86_64" : arch;
    }
}
