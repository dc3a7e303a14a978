package io.github.hinny;

import clojure.lang.BigInt;
import clojure.lang.Keyword;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.util.Base64;
import java.util.Date;
import java.util.UUID;

/**
 * Writes values other than collections, by their {@link JsonKinds.Kind}: as values, and as keys.
 *
 * <p>The part of {@link JsonWriter} that does not recurse. Not thread-safe.
 */
abstract class JsonScalars extends JsonBuffer {
    final JsonStrings strings = new JsonStrings();
    JsonEscapes escapes;

    /** Writes what is not a keyword as the key of an entry, quoted. */
    final void writeKey(final Object key) {
        if (key instanceof String) {
            strings.write((String) key, escapes, this);
            return;
        }
        if (key == null) {
            throw new JsonUnwritableException("nil cannot be a key", null);
        }
        final Class<?> type = key.getClass();
        final JsonKinds.Kind kind = JsonKinds.of(type).kind();
        switch (kind) {
            case BOOLEAN, LONG, DOUBLE, NUMBER_TEXT -> {
                put('"');
                writeScalar(key, type, kind);
                put('"');
            }
            case TEXT, UUID, DATE, INSTANT, ZONED_DATE_TIME, ENUM -> writeScalar(key, type, kind);
            default -> throw new JsonUnwritableException("a " + type.getTypeName() + " cannot be a key", type);
        }
    }

    /** Writes what is no collection. */
    final void writeScalar(final Object value, final Class<?> type, final JsonKinds.Kind kind) {
        switch (kind) {
            case BOOLEAN -> put((boolean) (Boolean) value);
            case LONG -> JsonNumbers.write(((Number) value).longValue(), this);
            case DOUBLE -> JsonNumbers.write(((Number) value).doubleValue(), this);
            case NUMBER_TEXT -> writeNumberText(value);
            case TEXT -> strings.write(value.toString(), escapes, this);
            case KEYWORD -> strings.write(JsonKeys.text((Keyword) value), escapes, this);
            case UUID -> JsonTimes.write((UUID) value, this);
            case DATE -> JsonTimes.writeMillis(((Date) value).getTime(), this);
            case INSTANT -> JsonTimes.write((Instant) value, this);
            case ZONED_DATE_TIME ->
                strings.write(((ZonedDateTime) value).toOffsetDateTime().toString(), escapes, this);
            case ENUM -> strings.write(((Enum<?>) value).name(), escapes, this);
            case CHARACTERS -> strings.write(new String((char[]) value), escapes, this);
            case BASE64 -> strings.write(Base64.getEncoder().encodeToString((byte[]) value), escapes, this);
            default -> throw new JsonUnwritableException("a " + type.getTypeName() + " has no JSON", type);
        }
    }

    private void writeNumberText(final Object number) {
        if (number instanceof BigInt && ((BigInt) number).bipart == null) {
            JsonNumbers.write(((BigInt) number).lpart, this);
            return;
        }
        if (number instanceof Float && !Float.isFinite((Float) number)) {
            throw new JsonUnwritableException("JSON has no " + number, Float.class);
        }
        putAscii(number.toString());
    }
}
