package io.github.hinny.bench;

import clojure.java.api.Clojure;
import clojure.lang.IFn;
import clojure.lang.ILookup;
import clojure.lang.Keyword;
import clojure.lang.RT;
import io.github.hinny.JsonKeyDecoder;
import io.github.hinny.JsonReadSettings;
import io.github.hinny.JsonReader;
import io.github.hinny.Params;
import io.github.hinny.RequestWriter;
import io.github.hinny.RingRequest;
import java.io.FileNotFoundException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Reading JSON and query strings beside other libraries: {@code ReadSideBySide [query | SIZE]...}.
 *
 * <p>For a size, JSON of about so many bytes to maps with keywords as keys, beside Jackson; {@code SIZE+} adds data.json and
 * cheshire. For {@code query}, six parameters beside ring-codec. Cheshire and ring-codec are measured if they are on the
 * class path ({@code scripts/ring-packages.sh}). What the JIT compiles depends on what ran before: a JVM for each argument
 * is what {@code scripts/bench.sh read} takes.
 */
public final class ReadSideBySide {
    private static final String QUERY = "q=native+codecs&page=2&size=50&sort=name&tag=http%2F1.1&lang=en";
    private static final JsonReadSettings EAGER = settings(false);
    private static final JsonReadSettings LAZY = settings(true);
    private static final Keyword STATUS = Keyword.intern(null, "status");
    private static final Keyword TOTAL = Keyword.intern(null, "total");
    private static final IFn REQUIRE = Clojure.var("clojure.core", "require");

    private ReadSideBySide() {}

    /** Runs the comparisons that are asked for. */
    public static void main(final String[] arguments) throws Exception {
        for (final String argument : arguments) {
            if (argument.equals("query")) {
                query();
            } else {
                json(Integer.parseInt(argument.replace("+", "")), argument.endsWith("+"));
            }
        }
    }

    private static void json(final int size, final boolean withOthers) throws Exception {
        final byte[] text = JsonPayload.ofBytes(size);
        final JacksonReader jackson = new JacksonReader();
        final List<SideBySide.Side> sides = new ArrayList<>();
        sides.add(new SideBySide.Side("Jackson", () -> jackson.read(text)));
        sides.add(new SideBySide.Side("Hinny", () -> JsonReader.read(text, 0, text.length, false, EAGER)));
        if (withOthers) {
            final IFn dataJson = function("clojure.data.json", "read-str");
            final Object keyFn = Clojure.read(":key-fn");
            final IFn keyword = Clojure.var("clojure.core", "keyword");
            sides.add(new SideBySide.Side(
                    "data.json", () -> dataJson.invoke(new String(text, StandardCharsets.UTF_8), keyFn, keyword)));
            final IFn cheshire = function("cheshire.core", "parse-string");
            if (cheshire != null) {
                sides.add(new SideBySide.Side(
                        "cheshire", () -> cheshire.invoke(new String(text, StandardCharsets.UTF_8), true)));
            }
        }
        agree(sides);
        sides.add(new SideBySide.Side("Hinny, lazy, two fields", () -> twoFields(text)));
        new SideBySide("JSON, " + text.length, sides).run();
    }

    private static Object twoFields(final byte[] text) {
        final ILookup object = (ILookup) JsonReader.read(text, 0, text.length, false, LAZY);
        return object.valAt(STATUS).hashCode() + object.valAt(TOTAL).hashCode();
    }

    private static JsonReadSettings settings(final boolean isLazy) {
        return new JsonReadSettings(JsonKeyDecoder.KEYWORDS, 512, 1 << 20, false, isLazy, JsonReadSettings.REFUSED);
    }

    private static void query() throws Exception {
        final RingRequest request = RingRequest.of(RequestWriter.write(
                new RequestWriter.Head(42, "GET", "/a", QUERY, "localhost", 8080, "127.0.0.1", false, false),
                List.of(new RequestWriter.Field("host", "localhost:8080", false)),
                null));
        final IFn formDecode = function("ring.util.codec", "form-decode");
        final List<SideBySide.Side> sides = new ArrayList<>();
        if (formDecode != null) {
            sides.add(new SideBySide.Side("ring-codec", () -> formDecode.invoke(QUERY, "UTF-8")));
        }
        sides.add(new SideBySide.Side("Hinny, record to map", () -> request.queryParams(StandardCharsets.UTF_8, 1024)));
        sides.add(
                new SideBySide.Side("Hinny, String to map", () -> Params.ofForm(QUERY, StandardCharsets.UTF_8, 1024)));
        agree(sides);
        new SideBySide("query of six", sides).run();
    }

    /** Returns a function of a library, null if the library is not on the class path. */
    private static IFn function(final String namespace, final String name) {
        try {
            REQUIRE.invoke(Clojure.read(namespace));
            return Clojure.var(namespace, name);
        } catch (final Exception failure) {
            if (failure instanceof FileNotFoundException) {
                System.out.println("not on the class path: " + namespace);
                return null;
            }
            throw failure;
        }
    }

    private static void agree(final List<SideBySide.Side> sides) throws Exception {
        final Object first = sides.get(0).call().call();
        for (final SideBySide.Side side : sides) {
            if (!RT.booleanCast(
                    Clojure.var("clojure.core", "=").invoke(first, side.call().call()))) {
                throw new IllegalStateException("does not agree: " + side.name());
            }
        }
    }
}
