package io.github.hinny;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * File names as bytes, which is what the system has, whatever the JVM makes of them.
 *
 * <p>The JVM turns names into Strings and back with the charset of its locale. Under {@code LC_ALL=C} that is ASCII: a name with
 * another character can then neither be read nor said, and {@code Path.of} throws. A URI with the bytes of a name in
 * hexadecimal goes round that charset both ways. What the charset does not have is written as UTF-8.
 *
 * <p>Stateless; any thread.
 */
public final class FilePaths {
    /** As the JVM spells file names for the system; {@code -Dsun.jnu.encoding} does not change it. */
    private static final Charset CHARSET = charset();

    /** In place of a byte that is no character in {@link #CHARSET}. */
    private static final char UNREADABLE = '\uFFFD';

    private FilePaths() {}

    private static Charset charset() {
        final String name = System.getProperty("sun.jnu.encoding");
        return name != null && Charset.isSupported(name) ? Charset.forName(name) : StandardCharsets.UTF_8;
    }

    /** Returns the bytes of a name or path. */
    public static byte[] bytes(final String name) {
        return name.getBytes(charsetOf(name));
    }

    /** Returns the bytes of an absolute path of the default file system. */
    public static byte[] bytes(final Path path) {
        final String raw = path.toUri().getRawPath();
        final byte[] bytes = new byte[raw.length()];
        int length = 0;
        for (int i = 0; i < raw.length(); i++) {
            if (raw.charAt(i) == '%') {
                bytes[length++] = (byte) Integer.parseInt(raw, i + 1, i + 3, 16);
                i += 2;
            } else {
                bytes[length++] = (byte) raw.charAt(i);
            }
        }
        // The URI of a directory ends in a slash.
        final int end = length > 1 && bytes[length - 1] == '/' ? length - 1 : length;
        return Arrays.copyOf(bytes, end);
    }

    /**
     * Returns the path with these bytes, an absolute one.
     *
     * @throws IOException if a path cannot have them
     */
    public static Path path(final byte[] bytes) throws IOException {
        final StringBuilder uri = new StringBuilder("file://");
        for (final byte b : bytes) {
            if (b == '/' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z') {
                uri.append((char) b);
            } else {
                uri.append('%').append(Character.forDigit(b >> 4 & 0xF, 16)).append(Character.forDigit(b & 0xF, 16));
            }
        }
        try {
            return Path.of(URI.create(uri.toString()));
        } catch (final IllegalArgumentException impossible) {
            throw new IOException("no file can have this name: " + impossible.getMessage(), impossible);
        }
    }

    /** Returns the path of a file. */
    public static Path path(final File file) throws IOException {
        return path(bytes(file.getAbsolutePath()));
    }

    /** Returns the path of {@code name}, which may have slashes, below a directory. */
    static Path resolve(final Path directory, final String name) throws IOException {
        final byte[] above = bytes(directory);
        final byte[] below = bytes(name);
        final byte[] all = Arrays.copyOf(above, above.length + 1 + below.length);
        all[above.length] = '/';
        System.arraycopy(below, 0, all, above.length + 1, below.length);
        return path(all);
    }

    /**
     * Returns why a path that the JVM gave is not that of a file, and what to do about it, to be put behind a message; an empty
     * String if it may be one.
     */
    public static String unreadable(final String path) {
        return path.indexOf(UNREADABLE) < 0 || CHARSET.newEncoder().canEncode(UNREADABLE)
                ? ""
                : ": the JVM cannot read this name, its charset of file names is "
                        + CHARSET
                        + "; start it with LC_ALL=C.UTF-8 in its environment";
    }

    private static Charset charsetOf(final String name) {
        for (int i = 0; i < name.length(); i++) {
            if (name.charAt(i) >= 0x80) {
                return CHARSET != StandardCharsets.UTF_8 && CHARSET.newEncoder().canEncode(name)
                        ? CHARSET
                        : StandardCharsets.UTF_8;
            }
        }
        return StandardCharsets.ISO_8859_1;
    }
}
