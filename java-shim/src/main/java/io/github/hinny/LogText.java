package io.github.hinny;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/**
 * Makes text fit for a line of a log: what a request, a path or a response holds cannot begin another line, move the cursor of
 * a terminal, or change the direction of what follows. {@link SafeLogger} does it for all that is logged.
 *
 * <p>Stateless; any thread.
 */
public final class LogText {
    private LogText() {}

    /**
     * Returns {@code text} with a backslash, {@code u} and four digits in place of each control character (Unicode's
     * category Cc), line or paragraph separator, and mark that changes the direction of writing; the same string if it has none.
     */
    public static String escape(final String text) {
        int at = 0;
        while (at < text.length() && !isUnfit(text.charAt(at))) {
            at++;
        }
        if (at == text.length()) {
            return text;
        }
        final StringBuilder escaped = new StringBuilder(text.length() + 16).append(text, 0, at);
        for (; at < text.length(); at++) {
            final char c = text.charAt(at);
            if (isUnfit(c)) {
                escaped.append("\\u");
                for (int shift = 12; shift >= 0; shift -= 4) {
                    escaped.append(Character.forDigit(c >> shift & 0xf, 16));
                }
            } else {
                escaped.append(c);
            }
        }
        return escaped.toString();
    }

    private static boolean isUnfit(final char c) {
        return c < ' '
                || (c >= 0x7f && c <= 0x9f)
                || (c >= 0x2028 && c <= 0x202e)
                || (c >= 0x2066 && c <= 0x2069)
                || c == 0x200e
                || c == 0x200f
                || c == 0x061c;
    }

    /**
     * Returns what a log may have of {@code thrown}: itself, or a copy with the same stacks, whose messages are escaped and begin
     * with the names of the classes, if a message of it, of its causes or of what it suppressed has to be escaped. Tabs and ends of
     * lines alone are no reason: messages have them, as those of {@code clojure.core/assert} do. Null for null.
     */
    static Throwable escape(final Throwable thrown) {
        return isFit(thrown, newSet()) ? thrown : new Copy(thrown, newSet());
    }

    private static Set<Throwable> newSet() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }

    private static boolean isFit(final Throwable thrown, final Set<Throwable> seen) {
        if (thrown == null || !seen.add(thrown)) {
            return true;
        }
        if (!isFitForStack(thrown.toString())) {
            return false;
        }
        for (final Throwable suppressed : thrown.getSuppressed()) {
            if (!isFit(suppressed, seen)) {
                return false;
            }
        }
        return isFit(thrown.getCause(), seen);
    }

    private static boolean isFitForStack(final String text) {
        for (int i = 0; text != null && i < text.length(); i++) {
            final char c = text.charAt(i);
            if (isUnfit(c) && c != '\n' && c != '\t') {
                return false;
            }
        }
        return true;
    }

    /** Stands for a throwable whose message is not fit for a log. */
    private static final class Copy extends Throwable {
        private static final long serialVersionUID = 1;

        /** @param seen what has a copy already: causes may go round in a circle */
        Copy(final Throwable of, final Set<Throwable> seen) {
            super(escape(String.valueOf(of)), causeOf(of, seen));
            setStackTrace(of.getStackTrace());
            for (final Throwable suppressed : of.getSuppressed()) {
                if (seen.add(suppressed)) {
                    addSuppressed(new Copy(suppressed, seen));
                }
            }
        }

        private static Throwable causeOf(final Throwable of, final Set<Throwable> seen) {
            seen.add(of);
            final Throwable cause = of.getCause();
            return cause == null || !seen.add(cause) ? null : new Copy(cause, seen);
        }

        @Override
        public String toString() {
            return getMessage();
        }
    }
}
