package io.github.hinny;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.event.Level;

/**
 * Log events of the native library, in SLF4J loggers below {@code hinny.native}.
 *
 * <p>The native side formats an event only if the logger {@code hinny.native} has its level enabled; {@link
 * #refreshLevel} keeps it informed.
 *
 * <p>Thread-safe.
 */
final class NativeLog {
    private static final SafeLogger ROOT = SafeLogger.named("hinny.native");
    private static final Level[] LEVELS = {Level.ERROR, Level.WARN, Level.INFO, Level.DEBUG, Level.TRACE};
    private static final ConcurrentHashMap<String, SafeLogger> LOGGERS = new ConcurrentHashMap<>();

    private static volatile int knownLevel = -1;

    private NativeLog() {}

    /** Tells the native side which level is enabled now, if that has changed. */
    static void refreshLevel() {
        int level = 0;
        while (level < LEVELS.length && ROOT.isEnabledForLevel(LEVELS[level])) {
            level++;
        }
        if (level != knownLevel) {
            knownLevel = level;
            Native.logLevel(level);
        }
    }

    /** Logs the LOG record at {@code at}. */
    static void log(final byte[] inbox, final int at) {
        final int level = inbox[at + Records.LOG_LEVEL];
        final int targetLength = Records.u16(inbox, at + Records.LOG_TARGET_LENGTH);
        final int messageLength = Records.u32(inbox, at + Records.LOG_MESSAGE_LENGTH);
        final int text = at + Records.LOG_TEXT;
        final String target = new String(inbox, text, targetLength, StandardCharsets.UTF_8);
        final String message = new String(inbox, text + targetLength, messageLength, StandardCharsets.UTF_8);
        logger(target).log(LEVELS[level - 1], message);
    }

    /** The Rust module {@code hinny_server::connection} logs to {@code hinny.native.server.connection}. */
    private static SafeLogger logger(final String target) {
        return LOGGERS.computeIfAbsent(
                target,
                t -> SafeLogger.named("hinny.native." + t.replace("::", ".").replaceFirst("^hinny[._]", "")));
    }
}
