package io.github.hinny;

import clojure.lang.Keyword;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The well-known header names and methods that cross the boundary as ids.
 *
 * <p>Ids are positions in the tables below, which {@code native/core/src/names.rs} repeats; 0 means
 * "not well-known, the text follows". All tables are filled once at class load and never change, so
 * a lookup allocates nothing and hostile names cannot make them grow.
 *
 * <p>Stateless; any thread may use it.
 */
public final class HeaderNames {
    private static final String[] NAMES = namesFromId1("""
accept accept-charset accept-encoding accept-language accept-ranges
access-control-allow-credentials access-control-allow-headers
access-control-allow-methods access-control-allow-origin
access-control-expose-headers access-control-max-age access-control-request-headers
access-control-request-method age allow authorization cache-control connection
content-disposition content-encoding content-language content-length
content-location content-range content-security-policy content-type cookie date dnt
etag expect expires forwarded from host if-match if-modified-since if-none-match
if-range if-unmodified-since last-modified link location max-forwards origin pragma
proxy-authenticate proxy-authorization range referer referrer-policy retry-after
server set-cookie strict-transport-security te trailer transfer-encoding upgrade
upgrade-insecure-requests user-agent vary via warning www-authenticate
x-content-type-options x-dns-prefetch-control x-frame-options x-xss-protection
x-forwarded-for x-forwarded-proto x-forwarded-host x-request-id x-real-ip
sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user sec-ch-ua
sec-ch-ua-mobile sec-ch-ua-platform traceparent tracestate keep-alive
""");

    private static final String[] METHODS = {
        null, "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT",
    };

    /** Id of the method HEAD. */
    static final int HEAD = 2;

    private static final Keyword[] METHOD_KEYWORDS = {
        null,
        Keyword.intern(null, "get"),
        Keyword.intern(null, "head"),
        Keyword.intern(null, "post"),
        Keyword.intern(null, "put"),
        Keyword.intern(null, "delete"),
        Keyword.intern(null, "options"),
        Keyword.intern(null, "patch"),
        Keyword.intern(null, "trace"),
        Keyword.intern(null, "connect"),
    };

    /** Spellings in use that are neither lower-case nor Capitalized-At-Hyphens. */
    private static final String[] OTHER_SPELLINGS = {
        "DNT",
        "ETag",
        "TE",
        "WWW-Authenticate",
        "X-DNS-Prefetch-Control",
        "X-Real-IP",
        "X-Request-ID",
        "X-XSS-Protection",
    };

    /** The ids of the names of each length: {@code IDS_BY_LENGTH[3]} is age, dnt, via. */
    private static final int[][] IDS_BY_LENGTH = idsByLength();

    /** Id of the header {@code content-type}. */
    static final int CONTENT_TYPE = uncommonId("content-type");

    /**
     * Slots of the open-addressing table: a power of two, about three times the spellings that it
     * holds.
     */
    private static final int SLOTS = 512;

    private static final String[] SPELLINGS = new String[SLOTS];
    private static final int[] SPELLING_IDS = new int[SLOTS];

    static {
        final List<String> spellings = new ArrayList<>(List.of(OTHER_SPELLINGS));
        for (int id = 1; id < NAMES.length; id++) {
            spellings.add(NAMES[id]);
            spellings.add(capitalized(NAMES[id]));
        }
        for (final String spelling : spellings) {
            int slot = slot(spelling);
            while (SPELLINGS[slot] != null) {
                slot = (slot + 1) & (SLOTS - 1);
            }
            SPELLINGS[slot] = spelling.intern();
            SPELLING_IDS[slot] = uncommonId(spelling);
        }
    }

    private HeaderNames() {}

    /** Returns the number of well-known header names; their ids are 1 to this number. */
    public static int count() {
        return NAMES.length - 1;
    }

    /** Returns the lower-case header name of an id from 1 to {@link #count}. */
    public static String name(final int id) {
        return NAMES[id];
    }

    /** Returns the id of a header name in any case, 0 if it is not well-known. */
    public static int id(final String name) {
        int slot = slot(name);
        String spelling = SPELLINGS[slot];
        while (spelling != null) {
            if (spelling.equals(name)) {
                return SPELLING_IDS[slot];
            }
            slot = (slot + 1) & (SLOTS - 1);
            spelling = SPELLINGS[slot];
        }
        return uncommonId(name);
    }

    /** Returns the number of well-known methods; their ids are 1 to this number. */
    public static int methodCount() {
        return METHODS.length - 1;
    }

    /** Returns the method of an id from 1 to {@link #methodCount} as it stands on the wire. */
    public static String method(final int id) {
        return METHODS[id];
    }

    /** Returns the method of an id from 1 to {@link #methodCount} as Ring names it. */
    public static Keyword methodKeyword(final int id) {
        return METHOD_KEYWORDS[id];
    }

    /** Puts nothing at 0; interned, so that a literal in a handler is found by identity. */
    private static String[] namesFromId1(final String names) {
        return Stream.concat(Stream.of(""), Stream.of(names.split("\\s+")))
                .map(String::intern)
                .toArray(String[]::new);
    }

    private static int slot(final String name) {
        final int hash = name.hashCode();
        return (hash ^ (hash >>> 16)) & (SLOTS - 1);
    }

    private static int uncommonId(final String name) {
        if (name.length() < IDS_BY_LENGTH.length) {
            for (final int id : IDS_BY_LENGTH[name.length()]) {
                if (equalsIgnoringCase(NAMES[id], name)) {
                    return id;
                }
            }
        }
        return 0;
    }

    private static int[][] idsByLength() {
        final int longest = Arrays.stream(NAMES, 1, NAMES.length)
                .mapToInt(String::length)
                .max()
                .getAsInt();
        return IntStream.rangeClosed(0, longest)
                .mapToObj(length -> IntStream.range(1, NAMES.length)
                        .filter(id -> NAMES[id].length() == length)
                        .toArray())
                .toArray(int[][]::new);
    }

    /** ASCII only: {@link String#equalsIgnoreCase} takes U+017F for an s and U+212A for a k. */
    private static boolean equalsIgnoringCase(final String lowerCase, final String name) {
        for (int i = 0; i < name.length(); i++) {
            final char c = name.charAt(i);
            final char lower = c >= 'A' && c <= 'Z' ? (char) (c + 32) : c;
            if (lower != lowerCase.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static String capitalized(final String name) {
        final StringBuilder text = new StringBuilder(name);
        for (int i = 0; i < text.length(); i++) {
            if (i == 0 || text.charAt(i - 1) == '-') {
                text.setCharAt(i, Character.toUpperCase(text.charAt(i)));
            }
        }
        return text.toString();
    }
}
