package io.github.hinny;

/**
 * The native methods, bound by name and descriptor when the library is loaded.
 *
 * <p>Rust never calls Java: a loop's thread calls {@link #poll} again and again, and that moves commands down and
 * records up. Each method fails with an {@link EngineException}; a panic in Rust is one too.
 */
final class Native {
    private Native() {}

    /** Returns the version of the boundary's layout that the library was built with. */
    static native int abiVersion();

    /**
     * Returns what both sides must agree on, a line each: {@code const NAME value}, {@code result NAME value}, {@code method NAME}, {@code header
     * name}, {@code metric name}, {@code worker-metric name}, {@code native name descriptor}.
     */
    static native String layout();

    /** Returns the options table as EDN. */
    static native String optionTable();

    /** Lets through log events up to this level: 0 none, 1 error, 2 warn, 3 info, 4 debug, 5 trace. JVM-wide. */
    static native void logLevel(int level);

    /**
     * Binds the listening sockets and returns the engine's handle.
     *
     * @param options {@code name NUL value NUL …} in UTF-8
     * @throws EngineException if an option is wrong or the address cannot be listened on
     */
    static native long start(byte[] options);

    /** Returns the port that is listened on. */
    static native int port(long engine);

    /** Fills {@code values} with the sums of the loops' counters, in the order of the layout's metrics. */
    static native void metrics(long engine, long[] values);

    /**
     * Makes a loop live on the calling thread.
     *
     * @throws EngineException if it is open already, the engine is stopped, or the system has no epoll instance left
     */
    static native void openLoop(long engine, int index);

    /**
     * Hands over the first {@code outboxLength} bytes of commands, runs the calling thread's loop until there is
     * something to do here, and fills {@code inbox} with whole records.
     *
     * @return in the lower 32 bits the number of records, {@link Records#CLOSED} or {@link Records#GROW_INBOX}: then
     *     {@code inbox} begins with the fixed part of the record that does not fit, which all types of records have in
     *     common; above them {@link Records#POLL_FULL_BIT}
     */
    static native long poll(byte[] outbox, int outboxLength, byte[] inbox);

    /** Drops the record that did not fit in the calling thread's last {@link #poll}. */
    static native void dropRecord();

    /** Ends the calling thread's loop with all its connections. Does nothing if there is none. */
    static native void closeLoop();

    /** Makes a loop's {@link #poll} return soon. Any thread; does nothing if the engine is stopped. */
    static native void wake(long engine, int index);

    /**
     * Stops accepting; each loop's {@link #poll} returns {@link Records#CLOSED} when its connections have finished, or
     * after {@code deadlineMs}. Any thread; does nothing if the engine is stopped.
     */
    static native void drain(long engine, long deadlineMs);

    /**
     * Puts what a codec makes of {@code input[from .. from + length)}, a part that there is, into {@code output}, which has
     * {@link Results#OUTPUT_SIZE_MIN} bytes at least. Any thread.
     *
     * @param codec one of {@code Results.CODEC_…}
     * @param settings bits that mean something to the codec
     * @param room the length of {@code output}: to ask the JVM for it costs as much as a few parameters
     * @return the length of the result, {@link Results#GROW_OUTPUT} or {@link Results#MALFORMED}; a long, since the JVM's
     *     compilers take the upper half of a register for part of an int, and native code may leave anything there
     */
    static native long decode(int codec, byte[] input, int from, int length, long settings, byte[] output, int room);

    /**
     * Compiles a route table and returns its handle; see {@link RouteTable#compile}.
     *
     * @throws EngineException if it is none, or two of its endpoints answer the same requests
     */
    static native long compileRoutes(byte[] words);

    /**
     * Puts the parameters of a path into {@code params}, as a request record has them, and returns the number of the endpoint
     * that answers a method there; 0 if none does, {@link Results#GROW_OUTPUT} if {@code params} is too short: its first u32
     * is then the length that they need. Any thread.
     */
    static native long findRoute(long routes, byte[] method, byte[] path, byte[] params);

    /** Ends the handle of a route table; a server that uses the table keeps it. Does nothing the second time. */
    static native void freeRoutes(long routes);

    /**
     * Gives a server another route table. Each loop says with a {@link Records#SIGNAL_ROUTES} record from when on it uses it.
     * Any thread.
     */
    static native void setRoutes(long engine, long routes, int version);

    /**
     * Sets the response of endpoints that have one which changes.
     *
     * @param response a whole RESPONSE command
     */
    static native void setReply(long engine, int number, byte[] response);

    /**
     * Lets time pass for a server. For tests: the clock of one that was started with the system property {@code
     * hinny.test.clock} stands still otherwise. Any thread.
     *
     * @throws EngineException if it was not, or is stopped
     */
    static native void passTime(long engine, long ms);

    /** Ends the handle. Loops that are still open go on until they close. Does nothing the second time. */
    static native void stop(long engine);
}
