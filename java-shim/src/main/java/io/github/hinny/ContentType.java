package io.github.hinny;

/**
 * Reads a parameter of a Content-Type header value.
 *
 * <p>Follows the grammar of RFC 9110 §8.3.1: parameters are separated by semicolons, names have no
 * case, a value is a token or a quoted string, which may itself contain semicolons.
 *
 * <p>Stateless; any thread may use it.
 */
public final class ContentType {
    private static final String CHARSET = "charset";

    private ContentType() {}

    /** Returns the charset that {@code value} names, without quotes, or null if it names none. */
    public static String charset(final String value) {
        return parameter(value, CHARSET);
    }

    /** Returns the first parameter {@code wanted} of {@code value}, without quotes, or null if that is missing or empty. */
    static String parameter(final String value, final String wanted) {
        int at = value.indexOf(';');
        while (at >= 0) {
            final int name = skipSpace(value, at + 1);
            final int equals = endOfName(value, name);
            if (equals == value.length() || value.charAt(equals) == ';') {
                at = equals == value.length() ? -1 : equals;
                continue;
            }
            final boolean quoted = value.startsWith("\"", equals + 1);
            final int from = quoted ? equals + 2 : equals + 1;
            final int to = quoted ? endOfQuoted(value, from) : endOfToken(value, from);
            if (equals - name == wanted.length() && value.regionMatches(true, name, wanted, 0, wanted.length())) {
                return from == to ? null : value.substring(from, to);
            }
            at = value.indexOf(';', to);
        }
        return null;
    }

    private static int skipSpace(final String value, final int from) {
        int at = from;
        while (at < value.length() && isSpace(value.charAt(at))) {
            at++;
        }
        return at;
    }

    private static int endOfName(final String value, final int from) {
        int at = from;
        while (at < value.length() && value.charAt(at) != '=' && value.charAt(at) != ';') {
            at++;
        }
        return at;
    }

    private static int endOfToken(final String value, final int from) {
        int at = from;
        while (at < value.length() && value.charAt(at) != ';' && !isSpace(value.charAt(at))) {
            at++;
        }
        return at;
    }

    private static int endOfQuoted(final String value, final int from) {
        int at = from;
        while (at < value.length() && value.charAt(at) != '"') {
            at += value.charAt(at) == '\\' ? 2 : 1;
        }
        return Math.min(at, value.length());
    }

    private static boolean isSpace(final char c) {
        return c == ' ' || c == '\t';
    }
}
