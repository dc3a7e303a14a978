package io.github.hinny;

import clojure.lang.Keyword;
import clojure.lang.Symbol;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Makes keywords of names that clients choose: no more than {@link #SAME_HASH_MAX} of one hash are alive at once.
 *
 * <p>Clojure keeps all keywords of the JVM in one table, and looks through those with one hash one by one. Without a bound,
 * a client that sends names of one hash makes each name slower than the one before, for everybody who uses it.
 *
 * <p>A name that is a keyword already, because the application has it in its code or another client has just sent it, is
 * found in the table and costs no more than there. A new one is counted under its hash until the garbage collector has
 * taken its keyword.
 *
 * <p>Any thread. Static, as Clojure's table is. Holds keywords weakly, as that does.
 */
public final class ClientKeywords {
    /** Keywords that clients made and that may have one hash. */
    static final int SAME_HASH_MAX = 64;

    /** By hash the keywords that were made here and are alive. */
    private static final ConcurrentHashMap<Integer, Made> MADE = new ConcurrentHashMap<>();

    private static final ReferenceQueue<Keyword> GONE = new ReferenceQueue<>();

    private ClientKeywords() {}

    /** A keyword that was made here, before the others of its hash; changed only by who holds the lock of its place. */
    private static final class Made extends WeakReference<Keyword> {
        final Integer hash;
        Made next;

        Made(final Keyword keyword, final Integer hash, final Made next) {
            super(keyword, GONE);
            this.hash = hash;
            this.next = next;
        }
    }

    /** Returns the keyword that {@code clojure.core/keyword} makes of a text; null if too many have its hash. */
    public static Keyword of(final String text) {
        return of(Symbol.intern(text));
    }

    /** Returns the keyword with this name; null if too many have its hash. */
    static Keyword of(final Symbol name) {
        final Keyword known = Keyword.find(name);
        return known == null ? make(name) : known;
    }

    private static Keyword make(final Symbol name) {
        forgetGone();
        final Keyword[] found = new Keyword[1];
        MADE.compute(tableHash(name), (hash, first) -> {
            found[0] = Keyword.find(name); // Another thread may have been faster.
            if (found[0] != null || isFull(first)) {
                return first;
            }
            found[0] = Keyword.intern(name);
            return new Made(found[0], hash, first);
        });
        return found[0];
    }

    /** Returns what tells a symbol from others in Clojure's table, a {@link ConcurrentHashMap}: 31 bits of its hash. */
    private static int tableHash(final Symbol name) {
        final int hash = name.hashCode();
        return (hash ^ hash >>> 16) & Integer.MAX_VALUE;
    }

    private static boolean isFull(final Made first) {
        int length = 0;
        for (Made made = first; made != null; made = made.next) {
            length++;
        }
        return length >= SAME_HASH_MAX;
    }

    private static void forgetGone() {
        for (Reference<? extends Keyword> gone = GONE.poll(); gone != null; gone = GONE.poll()) {
            final Made made = (Made) gone;
            MADE.computeIfPresent(made.hash, (hash, first) -> without(first, made));
        }
    }

    private static Made without(final Made first, final Made gone) {
        if (first == gone) {
            return first.next;
        }
        for (Made made = first; made != null; made = made.next) {
            if (made.next == gone) {
                made.next = gone.next;
                break;
            }
        }
        return first;
    }
}
