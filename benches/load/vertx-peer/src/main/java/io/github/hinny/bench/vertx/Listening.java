package io.github.hinny.bench.vertx;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/** Says where the server listens when all of its instances do. */
final class Listening implements IntConsumer {
    private final AtomicInteger missing;

    Listening(int instances) {
        missing = new AtomicInteger(instances);
    }

    @Override
    public void accept(int port) {
        if (missing.decrementAndGet() == 0) {
            System.out.println("listening on 127.0.0.1:" + port);
        }
    }
}
