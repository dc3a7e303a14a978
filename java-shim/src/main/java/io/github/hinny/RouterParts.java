package io.github.hinny;

/**
 * A router as its user holds it.
 *
 * <p>An interface of Java for the reason of {@link Stoppable}: a router kept in a var is still one after its namespace was
 * loaded again.
 */
public interface RouterParts {
    /** Returns the routes that {@link #table} is made of, a vector of maps. */
    Object routes();

    /** Returns the same routes by their names, a map. */
    Object names();

    /** Returns what they are compiled to. */
    RouteTable table();
}
