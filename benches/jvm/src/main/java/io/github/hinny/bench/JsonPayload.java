package io.github.hinny.bench;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Random;

/**
 * JSON texts as an API sends them: an object with a few fields and an array of records, which have strings (a few with
 * escapes, or not ASCII), whole numbers, decimals, booleans, nulls, a nested object and an array. The same text each time.
 */
final class JsonPayload {
    private static final String[] WORDS = {
        "alpha", "bravo", "Zürich", "delta", "line\\nbreak", "foxtrot", "golf \\\"club\\\"", "hôtel", "india", "東京"
    };

    private JsonPayload() {}

    /** Returns a text of about so many bytes, in UTF-8. */
    static byte[] ofBytes(final int size) {
        final Random random = new Random(size);
        final StringBuilder text = new StringBuilder(size + 300);
        text.append("{\"status\":\"ok\",\"page\":3,\"items\":[");
        if (size <= 128) {
            text.append("{\"id\":1041,\"name\":\"alpha bravo\",\"price\":12.5,\"active\":true}");
        } else {
            for (int id = 1000; text.length() < size - 40; id++) {
                text.append(id == 1000 ? "" : ",");
                appendRecord(text, id, random);
            }
        }
        return text.append("],\"total\":120}").toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void appendRecord(final StringBuilder text, final int id, final Random random) {
        text.append("{\"id\":").append(id);
        text.append(",\"uuid\":\"").append(hex(random)).append(hex(random)).append('"');
        text.append(",\"name\":\"")
                .append(word(random))
                .append(' ')
                .append(word(random))
                .append('"');
        text.append(",\"price\":").append(random.nextInt(100_000) / 100.0);
        text.append(",\"quantity\":").append(random.nextInt(50));
        text.append(",\"active\":").append(random.nextBoolean());
        text.append(",\"note\":").append(random.nextInt(3) == 0 ? "\"to be delivered before noon\"" : "null");
        if (random.nextBoolean()) {
            text.append(",\"place\":{\"city\":\"").append(word(random)).append("\",\"lat\":");
            text.append(random.nextInt(90_000) / 1000.0).append('}');
        } else {
            text.append(",\"tags\":[\"new\",\"").append(word(random)).append("\"]");
        }
        text.append('}');
    }

    private static String hex(final Random random) {
        return String.format(Locale.ROOT, "%08x-%04x", random.nextInt(), random.nextInt(1 << 16));
    }

    private static String word(final Random random) {
        // The plain ones more often.
        return WORDS[random.nextInt(3) == 0 ? random.nextInt(WORDS.length) : 2 * random.nextInt(2) + random.nextInt(2)];
    }
}
