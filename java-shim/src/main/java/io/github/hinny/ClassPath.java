package io.github.hinny;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;

/**
 * The jars and directories that a class loader and its parents load from, as far as they tell: those of the JVM's class path and
 * of each {@link URLClassLoader}, with the jars that the manifests of these name.
 *
 * <p>Stateless; any thread.
 */
final class ClassPath {
    private ClassPath() {}

    /** Returns them in the order in which they are searched: a parent's before its children's. */
    static Collection<Path> places(final ClassLoader loader) throws IOException {
        final List<ClassLoader> loaders = new ArrayList<>();
        for (ClassLoader next = loader; next != null; next = next.getParent()) {
            loaders.add(0, next);
        }
        final Set<Path> places = new LinkedHashSet<>();
        for (final ClassLoader next : loaders) {
            if (next == ClassLoader.getSystemClassLoader()) {
                places.addAll(ofJvm());
            } else if (next instanceof URLClassLoader urls) {
                for (final URL url : urls.getURLs()) {
                    if (url.getProtocol().equals("file")) {
                        add(path(url), places);
                    }
                }
            }
        }
        return places;
    }

    /** Returns those of the JVM's own class path. */
    static Collection<Path> ofJvm() throws IOException {
        final Set<Path> places = new LinkedHashSet<>();
        for (final String element : System.getProperty("java.class.path").split(File.pathSeparator)) {
            add(FilePaths.path(new File(element)), places);
        }
        return places;
    }

    private static void add(final Path place, final Set<Path> places) throws IOException {
        final Path normal = place.toAbsolutePath().normalize();
        if (Files.isDirectory(normal)) {
            places.add(normal);
        } else if (Files.isRegularFile(normal) && places.add(normal)) {
            for (final URI named : namedIn(normal)) {
                add(Path.of(named), places);
            }
        }
    }

    /** Returns where the manifest of a jar says that more classes are. */
    private static List<URI> namedIn(final Path jar) {
        final List<URI> named = new ArrayList<>();
        try (JarFile file = new JarFile(jar.toFile())) {
            final Manifest manifest = file.getManifest();
            final String text =
                    manifest == null ? null : manifest.getMainAttributes().getValue(Attributes.Name.CLASS_PATH);
            for (final String one : text == null ? new String[0] : text.trim().split(" +")) {
                final URI uri = jar.toUri().resolve(one);
                if ("file".equals(uri.getScheme())) {
                    named.add(uri);
                }
            }
        } catch (final IOException | IllegalArgumentException unreadable) {
            // A loader finds nothing there either.
        }
        return named;
    }

    /** Returns the file that a URL names. */
    static Path path(final URL url) throws IOException {
        try {
            return Path.of(new URI(url.toString()));
        } catch (final URISyntaxException | IllegalArgumentException malformed) {
            throw new IOException("no file can be at " + url, malformed);
        }
    }
}
