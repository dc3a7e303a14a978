package io.github.hinny;

import java.io.Closeable;

/**
 * A server as its user holds it.
 *
 * <p>An interface of Java, because Clojure's types are made anew when their namespace is loaded again, and a server of
 * before must still be stopped after that.
 */
public interface Stoppable extends Closeable {
    /** Returns what it is made of. */
    Engine engine();

    /** Returns the options that it runs with, resolved: a map. */
    Object settings();

    /** Lets it finish what it has begun, then stops it. */
    void stop();

    /** The same. */
    @Override
    void close();

    /** Waits until it has stopped. */
    void join() throws InterruptedException;
}
