package io.github.hinny;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
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
import java.util.zip.ZipException;

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
     * <p>Some tools write jars that list no directories, in which a loader finds none, and a loader does not find what the JVM
     * cannot say in its charset of file names. So the jars and directories of the class path are looked into as well; if there is
     * nothing, the jars of the JVM's own, which this loader may not have.
     *
     * @param prefix a path with {@code /} between its parts, without one at either end
     * @return null if the class path has no such directory
     * @throws IOException if it cannot be read or copied, or has an entry that would leave the directory
     */
    public static synchronized Path directory(final String prefix, final ClassLoader loader) throws IOException {
        final List<Root> roots = roots(prefix, found(prefix, loader), ClassPath.places(loader));
        if (roots.isEmpty()) {
            roots.addAll(roots(prefix, Set.of(), ClassPath.ofJvm()));
            roots.removeIf(root -> !root.isJar());
        }
        if (roots.isEmpty()) {
            return null;
        }
        if (roots.size() == 1 && !roots.get(0).isJar()) {
            return roots.get(0).path();
        }
        final List<String> key = new ArrayList<>(List.of(prefix));
        for (final Root root : roots) {
            key.add(lastModified(root) + " " + root.path().toUri());
        }
        final Path known = COPIES.get(key);
        if (known != null && Files.isDirectory(known)) {
            return known;
        }
        final Path copy = copy(roots, prefix);
        COPIES.put(key, copy);
        return copy;
    }

    /**
     * Returns the directories of that name, in the order of the class path: what the loader finds, in its order, and each of the
     * others behind the one that stands before it in the class path.
     */
    private static List<Root> roots(final String prefix, final Set<Root> found, final Iterable<Path> places)
            throws IOException {
        final List<Root> roots = new ArrayList<>(found);
        int next = 0;
        for (final Path place : places) {
            final Root root = rootIn(place, prefix);
            if (root != null) {
                final int known = indexOf(root, roots);
                if (known < 0) {
                    roots.add(next++, root);
                } else {
                    next = known + 1;
                }
            }
        }
        return roots;
    }

    private static int indexOf(final Root root, final List<Root> roots) throws IOException {
        for (int i = 0; i < roots.size(); i++) {
            if (roots.get(i).isJar() == root.isJar()
                    && Files.isSameFile(roots.get(i).path(), root.path())) {
                return i;
            }
        }
        return -1;
    }

    /** Returns where {@code prefix} is in a jar or directory; null if it has none. */
    private static Root rootIn(final Path place, final String prefix) throws IOException {
        if (Files.isDirectory(place)) {
            final Path directory = FilePaths.resolve(place, prefix);
            return Files.isDirectory(directory) ? new Root(directory, false) : null;
        }
        try (JarFile jar = new JarFile(place.toFile())) {
            return jar.stream().anyMatch(entry -> entry.getName().startsWith(prefix + "/"))
                    ? new Root(place, true)
                    : null;
        } catch (final ZipException noJar) {
            return null;
        }
    }

    /** Returns the directories of that name that the loader finds, in its order. */
    private static Set<Root> found(final String prefix, final ClassLoader loader) throws IOException {
        // A jar lists a directory with a slash behind its name; a file of that name has none.
        final Set<Root> roots = new LinkedHashSet<>();
        for (final URL url : Collections.list(loader.getResources(prefix + "/"))) {
            if (url.getProtocol().equals("file")) {
                final Path path = ClassPath.path(url);
                if (Files.isDirectory(path)) {
                    roots.add(new Root(path, false));
                }
            } else {
                final URLConnection connection = url.openConnection();
                if (!(connection instanceof JarURLConnection jar)
                        || !jar.getJarFileURL().getProtocol().equals("file")) {
                    throw new IOException("neither a file nor in a jar: " + url);
                }
                roots.add(new Root(ClassPath.path(jar.getJarFileURL()), true));
            }
        }
        return roots;
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
                    final Path file = target.resolve(source.relativize(path));
                    try (InputStream in = Files.newInputStream(path)) {
                        write(in, Files.getLastModifiedTime(path), file, target);
                    }
                }
            }
        }
    }

    private static void copyJar(final Path source, final String prefix, final Path target) throws IOException {
        try (JarFile jar = new JarFile(source.toFile())) {
            for (final JarEntry entry : (Iterable<JarEntry>) jar.stream()::iterator) {
                if (!entry.isDirectory() && entry.getName().startsWith(prefix)) {
                    final String name = entry.getName().substring(prefix.length());
                    final Path file = FilePaths.resolve(target, name).normalize();
                    if (name.startsWith("/") || !file.startsWith(target) || file.equals(target)) {
                        throw new IOException("an entry of the class path leads out of its directory: " + name);
                    }
                    try (InputStream in = jar.getInputStream(entry)) {
                        write(in, entry.getLastModifiedTime(), file, target);
                    }
                }
            }
        }
    }

    /** Writes one file, unless an earlier root has put something at its name or where its directory would be. */
    private static void write(final InputStream in, final FileTime changed, final Path file, final Path target)
            throws IOException {
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
