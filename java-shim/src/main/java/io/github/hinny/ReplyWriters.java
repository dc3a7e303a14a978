package io.github.hinny;

/** Where a thread that has a response gets what it needs to encode it. Thread-safe, if threads share it. */
interface ReplyWriters {
    /** Returns a writer to encode with, to be given back. It is the caller's alone meanwhile. */
    ReplyWriter borrow();

    /** Takes a borrowed writer back. */
    void giveBack(ReplyWriter writer);
}
