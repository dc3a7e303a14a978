package io.github.hinny.bench;

import clojure.lang.IPersistentMap;
import clojure.lang.Keyword;
import clojure.lang.PersistentVector;
import clojure.lang.RT;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Data as an API answers it: a map of a few entries and a vector of records, which have strings (one in twenty with an
 * escape, one in ten not ASCII), longs, doubles, booleans, nils, a nested map and a vector. The same data each time.
 */
final class JsonData {
    private static final String[] WORDS = {"alpha", "bravo", "customer", "delta", "express", "foxtrot", "golf", "hotel"
    };

    private JsonData() {}

    /** Returns data of about so many bytes of JSON. */
    static IPersistentMap ofBytes(final int size) {
        final Random random = new Random(size);
        if (size <= 128) {
            return map("id", 1041L, "name", "alpha bravo", "price", 12.5, "active", true, "note", null, "total", 120L);
        }
        final List<Object> items = new ArrayList<>();
        for (int i = 0; i < size / 205; i++) {
            items.add(item(1000 + i, random));
        }
        return map("status", "ok", "page", 3L, "items", PersistentVector.create(items), "total", 120L, "next", null);
    }

    private static IPersistentMap item(final long id, final Random random) {
        return map(
                "id",
                id,
                "reference",
                String.format(Locale.ROOT, "%08x-%04x", random.nextInt(), random.nextInt(1 << 16)),
                "name",
                word(random) + " " + word(random),
                "price",
                random.nextInt(100_000) / 100.0,
                "quantity",
                (long) random.nextInt(50),
                "active",
                random.nextBoolean(),
                "note",
                random.nextInt(3) == 0 ? "to be delivered before noon, on the backdoor" : null,
                "place",
                map(
                        "city",
                        word(random),
                        "lat",
                        random.nextInt(90_000_000) / 1e6,
                        "stock/at",
                        random.nextInt() * 1000L));
    }

    private static String word(final Random random) {
        final int chance = random.nextInt(20);
        if (chance == 0) {
            return "say \"hi\"";
        }
        return chance <= 2 ? "Zürich" : WORDS[random.nextInt(WORDS.length)];
    }

    private static IPersistentMap map(final Object... namesAndValues) {
        final Object[] entries = namesAndValues.clone();
        for (int i = 0; i < entries.length; i += 2) {
            entries[i] = Keyword.intern((String) entries[i]);
        }
        return (IPersistentMap) RT.map(entries);
    }
}
