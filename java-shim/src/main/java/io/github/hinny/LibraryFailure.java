package io.github.hinny;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Why the native library is not loaded, and what to do about that reason; its message is the text that a user reads.
 *
 * <p>Made by {@link NativeLibrary}. What the system's loader says is kept word for word; the advice is chosen by what it says,
 * and by the head of the file.
 */
final class LibraryFailure extends Exception {
    private static final long serialVersionUID = 1L;

    /** ELF's numbers of machines, by the names that this JVM may have for them. */
    private static final Map<Integer, String> MACHINES =
            Map.of(3, "x86", 40, "arm", 62, "x86_64", 183, "aarch64", 243, "riscv64", 21, "ppc64le", 22, "s390x");

    private static final String WORKDIR_REMEDY =
            "name an existing directory that is writable and not mounted noexec with -D"
                    + NativeLibrary.WORKDIR_PROPERTY;

    private static final String PATH_REMEDY = "name a Hinny library of this version with -D"
            + NativeLibrary.PATH_PROPERTY
            + ", or leave the property out to use the one in the jar";

    private static final String BUILD_REMEDY =
            "build it from source on this platform (cargo build --release) and name the file with -D"
                    + NativeLibrary.PATH_PROPERTY;

    private LibraryFailure(final String tried, final String reason, final String remedy, final Throwable cause) {
        super(
                "Hinny's native library cannot be loaded."
                        + "\n  platform: "
                        + platform()
                        + "\n  tried: "
                        + tried
                        + "\n  reason: "
                        + reason
                        + "\n  what to do: "
                        + remedy,
                cause);
    }

    /** The file that a user named is none. */
    static LibraryFailure noFile(final String tried, final Path file) {
        return new LibraryFailure(
                tried, Files.exists(file) ? "that is no file" : "there is no such file", PATH_REMEDY, null);
    }

    /** The jar has no library for the platform. */
    static LibraryFailure notCarried(final String resource, final String platform) {
        final String tried = "resource " + resource + " of the jar";
        if (!isLinux()) {
            return new LibraryFailure(
                    tried,
                    "Hinny's engine runs on Linux only, not on " + System.getProperty("os.name"),
                    "run it on Linux: in a container or a virtual machine, for instance",
                    null);
        }
        final String remedy = platform.equals("linux-x86_64")
                ? "let the directory native/ of Hinny's jar be in yours too, where jars are merged into one; or "
                        + BUILD_REMEDY
                : isMusl() ? BUILD_REMEDY + "; or run it on a system with glibc" : BUILD_REMEDY;
        return new LibraryFailure(tried, "the jar carries no library for " + platform, remedy, null);
    }

    /**
     * {@code thrown} came while a library was unpacked, loaded or asked for its version.
     *
     * @param file what the user named; null where the name is no path, or where the jar's library is meant
     * @param carried whether that is meant
     */
    static LibraryFailure of(final String tried, final Throwable thrown, final Path file, final boolean carried) {
        final String said = thrown.getMessage() == null ? thrown.toString() : thrown.getMessage();
        final String usual = carried ? WORKDIR_REMEDY : PATH_REMEDY;
        if (thrown instanceof IllegalCallerException) {
            return new LibraryFailure(tried, "the JVM forbids native code: " + said, accessRemedy(), thrown);
        }
        if (!(thrown instanceof LinkageError)) {
            // The messages of file errors are bare paths; their class names say what happened.
            return new LibraryFailure(tried, thrown.toString(), usual, thrown);
        }
        if (said.contains("already loaded in another classloader")) {
            return new LibraryFailure(
                    tried,
                    said,
                    "leave -D"
                            + NativeLibrary.PATH_PROPERTY
                            + " out: of the library in the jar each class loader gets a copy of its own; or load Hinny in"
                            + " one class loader for all",
                    thrown);
        }
        if (said.contains("failed to map segment")) {
            return new LibraryFailure(
                    tried,
                    said,
                    carried ? WORKDIR_REMEDY : "put " + file + " on a file system that is not mounted noexec",
                    thrown);
        }
        if (said.contains("GLIBC_") && said.contains("not found")) {
            return new LibraryFailure(tried, said, "use a system with a newer glibc, or " + BUILD_REMEDY, thrown);
        }
        if (thrown instanceof AbiMismatch) {
            return new LibraryFailure(
                    tried,
                    said,
                    carried ? "let the class path have the jars of one version of Hinny only" : PATH_REMEDY,
                    thrown);
        }
        final String head = file == null ? null : head(file);
        return new LibraryFailure(tried, head == null ? said : said + " (" + head + ")", usual, thrown);
    }

    /** Thrown where the library is another version's, or not Hinny's. */
    static final class AbiMismatch extends UnsatisfiedLinkError {
        private static final long serialVersionUID = 1L;

        AbiMismatch(final String reason) {
            super(reason);
        }
    }

    private static String accessRemedy() {
        final Module module = LibraryFailure.class.getModule();
        return "start the JVM with --enable-native-access=" + (module.isNamed() ? module.getName() : "ALL-UNNAMED");
    }

    /** Returns what the head of a file tells of why it cannot be loaded; null if it tells nothing. */
    private static String head(final Path file) {
        final byte[] head;
        try (InputStream in = Files.newInputStream(file)) {
            head = in.readNBytes(20);
        } catch (final IOException | RuntimeException unreadable) {
            return null;
        }
        if (head.length < 20 || head[0] != 0x7F || head[1] != 'E' || head[2] != 'L' || head[3] != 'F') {
            return "the file is no ELF library";
        }
        final boolean bigEndian = head[5] == 2;
        final int machine =
                bigEndian ? (head[18] & 0xFF) << 8 | head[19] & 0xFF : (head[19] & 0xFF) << 8 | head[18] & 0xFF;
        final String built = MACHINES.getOrDefault(machine, "the machine with ELF's number " + machine);
        final String running = NativeLibrary.architecture(System.getProperty("os.arch"));
        return built.equals(running) ? null : "the file is for " + built + ", the JVM runs on " + running;
    }

    private static String platform() {
        return "os "
                + System.getProperty("os.name")
                + ", arch "
                + System.getProperty("os.arch")
                + (isLinux() ? ", libc " + (isMusl() ? "musl" : "glibc") : "")
                + ", JDK "
                + System.getProperty("java.version");
    }

    private static boolean isLinux() {
        return System.getProperty("os.name").toLowerCase(Locale.ROOT).equals("linux");
    }

    /**
     * Returns whether this JVM runs on musl. Its own mappings decide: a glibc system may have musl's loader installed
     * too, so the file {@code /lib/ld-musl-*} decides only where the mappings cannot be read.
     */
    static boolean isMusl() {
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
}
