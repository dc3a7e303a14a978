package io.github.hinny;

import clojure.lang.IPersistentMap;
import clojure.lang.IPersistentVector;
import clojure.lang.Keyword;
import clojure.lang.LazilyPersistentVector;
import java.util.Map;

/**
 * Makes keywords of String keys that look like some, in maps and vectors at every depth, as Ring's {@code
 * wrap-keyword-params} does.
 *
 * <p>A segment of a keyword is letters of any script, ASCII digits and {@code * + ! _ ? -}, without a digit in front.
 *
 * <p>Stateless; any thread may use it. Holds no native memory.
 */
public final class ParamKeywords {
    private ParamKeywords() {}

    /**
     * Returns {@code params} with keywords for keys.
     *
     * @param namespaces whether two segments with a slash between them, of which the first may have dots, are a keyword
     * @throws ContentMalformedException if too many keys have one hash
     */
    public static Object convert(final Object params, final boolean namespaces) {
        if (params instanceof IPersistentMap map) {
            return convertMap(map, namespaces);
        }
        if (params instanceof IPersistentVector vector) {
            final Object[] items = new Object[vector.count()];
            for (int i = 0; i < items.length; i++) {
                items[i] = convert(vector.nth(i), namespaces);
            }
            return LazilyPersistentVector.createOwning(items);
        }
        return params;
    }

    private static IPersistentMap convertMap(final IPersistentMap map, final boolean namespaces) {
        final ParamsBuilder converted = new ParamsBuilder(map.count());
        for (final Object item : map) {
            final Map.Entry<?, ?> entry = (Map.Entry<?, ?>) item;
            final Object key = entry.getKey();
            converted.put(
                    key instanceof String text && isKeyword(text, namespaces) ? keyword(text) : key,
                    convert(entry.getValue(), namespaces));
        }
        final IPersistentMap built = converted.build();
        if (built == null) {
            throw tooMany();
        }
        return built;
    }

    private static Keyword keyword(final String text) {
        final Keyword keyword = ClientKeywords.of(text);
        if (keyword == null) {
            throw tooMany();
        }
        return keyword;
    }

    private static ContentMalformedException tooMany() {
        return new ContentMalformedException("too many parameters whose names have one hash");
    }

    private static boolean isKeyword(final String text, final boolean namespaces) {
        if (segmentEnd(text, 0, false) == text.length()) {
            return true;
        }
        if (!namespaces) {
            return false;
        }
        final int slash = segmentEnd(text, 0, true);
        return slash > 0
                && slash < text.length()
                && text.charAt(slash) == '/'
                && segmentEnd(text, slash + 1, false) == text.length();
    }

    /** Returns where the segment ends that begins at {@code from}, -1 if none does. */
    private static int segmentEnd(final String text, final int from, final boolean dots) {
        int at = from;
        while (at < text.length()) {
            final int c = text.codePointAt(at);
            if (!isFirst(c) && (at == from || !(c >= '0' && c <= '9' || c == '.' && dots))) {
                break;
            }
            at += Character.charCount(c);
        }
        return at == from ? -1 : at;
    }

    private static boolean isFirst(final int c) {
        return switch (c) {
            case '*', '+', '!', '_', '?', '-' -> true;
            default -> c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 && Character.isLetter(c);
        };
    }
}
