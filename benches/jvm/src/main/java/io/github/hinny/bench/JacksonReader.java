package io.github.hinny.bench;

import clojure.lang.IPersistentMap;
import clojure.lang.Keyword;
import clojure.lang.PersistentArrayMap;
import clojure.lang.PersistentHashMap;
import clojure.lang.PersistentVector;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.Arrays;

/**
 * Jackson's streaming parser into Clojure maps with keywords as keys, as fast as it can be made.
 *
 * <p>Jackson gives the same String object for the same field name, so a keyword is found by identity; maps of up to eight
 * entries are array maps whose array is filled directly.
 */
final class JacksonReader {
    private static final JsonFactory FACTORY = new JsonFactory();
    private static final int PLACES = 1 << 12;

    private final String[] names = new String[PLACES];
    private final Keyword[] keywords = new Keyword[PLACES];

    Object read(final byte[] text) throws IOException {
        try (JsonParser parser = FACTORY.createParser(text)) {
            return value(parser, parser.nextToken());
        }
    }

    private Object value(final JsonParser parser, final JsonToken token) throws IOException {
        return switch (token) {
            case START_OBJECT -> object(parser);
            case START_ARRAY -> array(parser);
            case VALUE_STRING -> parser.getText();
            case VALUE_NUMBER_INT -> integer(parser);
            case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
            case VALUE_TRUE -> Boolean.TRUE;
            case VALUE_FALSE -> Boolean.FALSE;
            case VALUE_NULL -> null;
            default -> throw new IOException("unexpected " + token);
        };
    }

    private static Object integer(final JsonParser parser) throws IOException {
        return switch (parser.getNumberType()) {
            case INT, LONG -> parser.getLongValue();
            default -> parser.getBigIntegerValue();
        };
    }

    private IPersistentMap object(final JsonParser parser) throws IOException {
        Object[] entries = new Object[16];
        int length = 0;
        String name;
        while ((name = parser.nextFieldName()) != null) {
            if (length == entries.length) {
                entries = Arrays.copyOf(entries, 2 * length);
            }
            entries[length] = keyword(name);
            entries[length + 1] = value(parser, parser.nextToken());
            length += 2;
        }
        if (length > 16) {
            return PersistentHashMap.create(Arrays.copyOf(entries, length));
        }
        for (int i = 2; i < length; i += 2) {
            for (int j = 0; j < i; j += 2) {
                if (entries[i] == entries[j]) {
                    return PersistentArrayMap.createAsIfByAssoc(Arrays.copyOf(entries, length));
                }
            }
        }
        return new PersistentArrayMap(length == entries.length ? entries : Arrays.copyOf(entries, length));
    }

    private PersistentVector array(final JsonParser parser) throws IOException {
        Object[] entries = new Object[8];
        int length = 0;
        JsonToken token;
        while ((token = parser.nextToken()) != JsonToken.END_ARRAY) {
            if (length == entries.length) {
                entries = Arrays.copyOf(entries, 2 * length);
            }
            entries[length++] = value(parser, token);
        }
        final Object[] all = length == entries.length ? entries : Arrays.copyOf(entries, length);
        return length <= 32 ? PersistentVector.adopt(all) : PersistentVector.create(all);
    }

    private Keyword keyword(final String name) {
        final int place = name.hashCode() & PLACES - 1;
        if (names[place] == name) {
            return keywords[place];
        }
        final Keyword keyword = Keyword.intern(name);
        names[place] = name;
        keywords[place] = keyword;
        return keyword;
    }
}
