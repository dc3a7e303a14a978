package io.github.hinny;

/**
 * What an exchange needs of whoever drives it: a {@link LoopDriver}, or a {@link HandlerCall} without a server.
 *
 * <p>Thread-safe, but for {@link #writer}, which is for the driver's own thread.
 */
interface Driver {
    /** Takes encoded commands for one exchange; they go out when {@link #wake} is called, at the latest. */
    void reply(byte[] commands);

    /**
     * Answers an exchange with an error, behind what it was {@linkplain #reply answered} before; if its response has begun,
     * that breaks off. Once for each exchange, and it needs no memory. It goes out when {@link #wake} is called, at the latest.
     */
    void fail(Exchange exchange);

    /**
     * Returns whether so many replies wait that a body should not add to them, unless its thread must not wait; then
     * {@code goOn} is called when there is room.
     */
    boolean holdBack(Runnable goOn);

    /** Waits until few enough replies wait that a large one may be added. A thread that may wait, for no client. */
    void awaitRoom();

    /** Returns whether so much of responses waits for clients that no handler should make another. */
    boolean isFull();

    /** Makes the driver send the replies that wait, if it does not do so already. */
    void wake();

    /** Returns whether the caller runs on the driver's own thread, which must never wait. */
    boolean isOwnThread();

    /** Returns what the driver's own thread encodes with; its outbox goes out by itself. */
    ReplyWriter writer();

    /** Returns where other threads get writers. */
    ReplyWriters writers();

    /** Hands work to a worker that may wait for a client, or for the producer of a body; returns whether there was room. */
    boolean dispatchStream(Work work);

    /** Hands work to a worker, even if none has room. */
    void dispatchAlways(Work work);

    /** Makes records about the exchange reach it. The driver's own thread. */
    void register(Exchange exchange);

    /** Learns why an exchange has failed; who can answers it first. Never throws. Any thread. */
    void report(String what, Throwable thrown, RingRequest request);

    /** Learns what was thrown for an exchange without changing what becomes of it. Any thread. */
    void reportAside(String what, Throwable thrown, RingRequest request);

    /** Learns that a handler took longer than it may. The driver's own thread. */
    void timedOut(RingRequest request);

    /** Returns how many bytes of each body of an exchange may wait for their receiver. */
    int exchangeBufferBytes();
}
