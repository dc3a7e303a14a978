package io.github.hinny;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/**
 * Directories of the class path as directories of the file system.
 *
 * <p>A directory that is one already, and the only one of its name, is taken as it is: edits are seen at once. What stands
 * in jars, or in several places, is copied to a fresh private directory below {@code java.io.tmpdir}, with the times of
 * change; of files of one name the first in the class path counts, as it does for a class loader. There is one copy for all
 * that ask for the same, until the JVM has ended its shutdown hooks.
 *
 * <p>Thread-safe.
 */
public final class ClassPathFiles {
    private static final FileAttribute<?>[] OWNER_ONLY = Path.of(System.getProperty("java.io.tmpdir"))
                    .getFileSystem()
                    .supportedFileAttributeViews()
                    .contains("posix")
            ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
            }
            : new FileAttribute<?>[0];

    /** Copies by what was copied: the places in order, and when each had changed last. */
    private static final Map<List<String>, Path> COPIES = new HashMap<>();

    private ClassPathFiles() {}

    /** Where a directory of the class path is: itself, or the jar that it is in. */
    private record Root(Path path, boolean isJar) {}

    /**
     * Returns a directory with all that stands below {@code prefix} in the class path of {@code loader}.
     *
     * <p>Some tools write jars that list no directories, in which a loader finds none. If it finds none at all, the jars of
     * the JVM's own class path are searched.
     *
     * @param prefix a path with {@code /} between its parts, without one at either end
     * @return null if the class path has no such directory
     * @throws IOException if it cannot be read or copied, or has an entry that would leave the directory
     */
    public static synchronized Path directory(final String prefix, final ClassLoader loader) throws IOException {
        Set<Root> roots = roots(prefix, loader);
        if (roots.isEmpty()) {
            roots = jarsWith(prefix);
        }
        if (roots.isEmpty()) {
            return null;
        }
        final Root first = roots.iterator().next();
        if (roots.size() == 1 && !first.isJar()) {
            return first.path();
        }
        final List<String> key = new ArrayList<>(List.of(prefix));
        for (final Root root : roots) {
            key.add(lastModified(root) + " " + root.path());
        }
        final Path known = COPIES.get(key);
        if (known != null && Files.isDirectory(known)) {
            return known;
        }
        final Path copy = copy(roots, prefix);
        COPIES.put(key, copy);
        return copy;
    }

    /** Returns the directories of that name that the loader finds, in its order. */
    private static Set<Root> roots(final String prefix, final ClassLoader loader) throws IOException {
        // A jar lists a directory with a slash behind its name; a file of that name has none.
        final Set<Root> roots = new LinkedHashSet<>();
        for (final URL url : Collections.list(loader.getResources(prefix + "/"))) {
            if (url.getProtocol().equals("file")) {
                final Path path = fileSystemPath(url);
                if (Files.isDirectory(path)) {
                    roots.add(new Root(path, false));
                }
            } else {
                final URLConnection connection = url.openConnection();
                if (!(connection instanceof JarURLConnection jar)
                        || !jar.getJarFileURL().getProtocol().equals("file")) {
                    throw new IOException("neither a file nor in a jar: " + url);
                }
                roots.add(new Root(fileSystemPath(jar.getJarFileURL()), true));
            }
        }
        return roots;
    }

    private static Set<Root> jarsWith(final String prefix) throws IOException {
        final Set<Root> roots = new LinkedHashSet<>();
        for (final String element : System.getProperty("java.class.path").split(File.pathSeparator)) {
            final Path path = Path.of(element);
            if (element.endsWith(".jar") && Files.isRegularFile(path)) {
                try (JarFile jar = new JarFile(path.toFile())) {
                    if (jar.stream().anyMatch(entry -> entry.getName().startsWith(prefix + "/"))) {
                        roots.add(new Root(path, true));
                    }
                }
            }
        }
        return roots;
    }

    private static Path fileSystemPath(final URL url) throws IOException {
        try {
            return Path.of(new URI(url.toString()));
        } catch (final URISyntaxException malformed) {
            throw new IOException("no file can be at " + url, malformed);
        }
    }

    private static long lastModified(final Root root) throws IOException {
        long latest = Files.getLastModifiedTime(root.path()).toMillis();
        if (!root.isJar()) {
            try (Stream<Path> below = Files.walk(root.path(), FileVisitOption.FOLLOW_LINKS)) {
                for (final Path path : (Iterable<Path>) below::iterator) {
                    latest = Math.max(latest, Files.getLastModifiedTime(path).toMillis());
                }
            }
        }
        return latest;
    }

    private static Path copy(final Iterable<Root> roots, final String prefix) throws IOException {
        final Path target = Files.createTempDirectory("hinny-resources-", OWNER_ONLY);
        target.toFile().deleteOnExit();
        for (final Root root : roots) {
            if (root.isJar()) {
                copyJar(root.path(), prefix + "/", target);
            } else {
                copyDirectory(root.path(), target);
            }
        }
        return target;
    }

    private static void copyDirectory(final Path source, final Path target) throws IOException {
        try (Stream<Path> below = Files.walk(source, FileVisitOption.FOLLOW_LINKS)) {
            for (final Path path : (Iterable<Path>) below::iterator) {
                if (Files.isRegularFile(path)) {
                    final String name = source.relativize(path).toString();
                    try (InputStream in = Files.newInputStream(path)) {
                        write(in, Files.getLastModifiedTime(path), name, target);
                    }
                }
            }
        }
    }

    private static void copyJar(final Path source, final String prefix, final Path target) throws IOException {
        try (JarFile jar = new JarFile(source.toFile())) {
            for (final JarEntry entry : (Iterable<JarEntry>) jar.stream()::iterator) {
                if (!entry.isDirectory() && entry.getName().startsWith(prefix)) {
                    try (InputStream in = jar.getInputStream(entry)) {
                        write(in, entry.getLastModifiedTime(), entry.getName().substring(prefix.length()), target);
                    }
                }
            }
        }
    }

    /** Writes one file, unless an earlier root has put something at its name or where its directory would be. */
    private static void write(final InputStream in, final FileTime changed, final String name, final Path target)
            throws IOException {
        final Path file = target.resolve(name).normalize();
        if (!file.startsWith(target) || file.equals(target)) {
            throw new IOException("an entry of the class path leads out of its directory: " + name);
        }
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) || !makeDirectories(file.getParent(), target)) {
            return;
        }
        file.toFile().deleteOnExit();
        Files.copy(in, file);
        if (changed != null) {
            Files.setLastModifiedTime(file, changed);
        }
    }

    /** Makes the directories from {@code target} to {@code directory}; returns false if a file stands in the way. */
    private static boolean makeDirectories(final Path directory, final Path target) throws IOException {
        Path made = target;
        for (final Path name : target.relativize(directory)) {
            made = made.resolve(name);
            if (Files.isDirectory(made)) {
                continue;
            }
            if (Files.exists(made)) {
                return false;
            }
            Files.createDirectory(made, OWNER_ONLY);
            made.toFile().deleteOnExit();
        }
        return true;
    }
}
