package io.github.hinny;

import java.io.Serial;
import java.util.ServiceLoader;
import org.slf4j.ILoggerFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.helpers.NOPLoggerFactory;
import org.slf4j.spi.SLF4JServiceProvider;

/**
 * The loggers of this library: SLF4J's, with three promises that not every backend keeps.
 *
 * <p>A call never throws: a backend and its appenders are the application's code. A line never holds what {@link LogText} escapes.
 * And where there is no backend at all, so that SLF4J would drop everything, the JDK's own {@link System.Logger} gets it: a
 * handler's exception must not vanish.
 *
 * <p>Thread-safe.
 */
public final class SafeLogger extends LegacyAbstractLogger {
    @Serial
    private static final long serialVersionUID = 1;

    private final transient Logger backend;

    /** Instead of the backend; null if there is one. */
    private final transient System.Logger fallback;

    private SafeLogger(final String name) {
        this.name = name;
        this.backend = LoggerFactory.getLogger(name);
        this.fallback = isBackendMissing() ? System.getLogger(name) : null;
    }

    /** Returns the logger of this name. */
    public static SafeLogger named(final String name) {
        return new SafeLogger(name);
    }

    /** Whether nobody chose where log events go; who chose slf4j-nop wants no events. */
    private static boolean isBackendMissing() {
        final ILoggerFactory factory = LoggerFactory.getILoggerFactory();
        return factory instanceof NOPLoggerFactory
                && System.getProperty(LoggerFactory.PROVIDER_PROPERTY_KEY) == null
                && ServiceLoader.load(SLF4JServiceProvider.class, LoggerFactory.class.getClassLoader())
                        .findFirst()
                        .isEmpty();
    }

    /** Logs an event. */
    void log(final Level level, final String message) {
        if (isEnabledForLevel(level)) {
            handleNormalizedLoggingCall(level, null, message, null, null);
        }
    }

    @Override
    protected void handleNormalizedLoggingCall(
            final Level level,
            final Marker marker,
            final String format,
            final Object[] arguments,
            final Throwable thrown) {
        try {
            final String message = LogText.escape(MessageFormatter.basicArrayFormat(format, arguments));
            try {
                write(level, message, LogText.escape(thrown));
            } catch (final Throwable unprintable) {
                if (thrown == null) {
                    throw unprintable;
                }
                write(level, message + ", a " + thrown.getClass().getName() + " that cannot be logged", null);
            }
        } catch (final Throwable lost) {
            // There is nobody left to tell.
        }
    }

    // SLF4J makes arrays of the arguments before it comes to the above, for which there may be no memory.

    @Override
    public void error(final String message, final Throwable thrown) {
        try {
            super.error(message, thrown);
        } catch (final Throwable lost) {
            // There is nobody left to tell.
        }
    }

    @Override
    public void error(final String format, final Object first, final Object second) {
        try {
            super.error(format, first, second);
        } catch (final Throwable lost) {
            // There is nobody left to tell.
        }
    }

    @Override
    public void warn(final String format, final Object first, final Object second) {
        try {
            super.warn(format, first, second);
        } catch (final Throwable lost) {
            // There is nobody left to tell.
        }
    }

    private void write(final Level level, final String message, final Throwable thrown) {
        if (fallback != null) {
            fallback.log(systemLevel(level), message, thrown);
            return;
        }
        switch (level) {
            case ERROR -> backend.error(message, thrown);
            case WARN -> backend.warn(message, thrown);
            case INFO -> backend.info(message, thrown);
            case DEBUG -> backend.debug(message, thrown);
            default -> backend.trace(message, thrown);
        }
    }

    private static System.Logger.Level systemLevel(final Level level) {
        return switch (level) {
            case ERROR -> System.Logger.Level.ERROR;
            case WARN -> System.Logger.Level.WARNING;
            case INFO -> System.Logger.Level.INFO;
            case DEBUG -> System.Logger.Level.DEBUG;
            default -> System.Logger.Level.TRACE;
        };
    }

    private boolean isOn(final Level level) {
        try {
            return fallback != null ? fallback.isLoggable(systemLevel(level)) : backend.isEnabledForLevel(level);
        } catch (final Throwable broken) {
            return false;
        }
    }

    @Override
    public boolean isErrorEnabled() {
        return isOn(Level.ERROR);
    }

    @Override
    public boolean isWarnEnabled() {
        return isOn(Level.WARN);
    }

    @Override
    public boolean isInfoEnabled() {
        return isOn(Level.INFO);
    }

    @Override
    public boolean isDebugEnabled() {
        return isOn(Level.DEBUG);
    }

    @Override
    public boolean isTraceEnabled() {
        return isOn(Level.TRACE);
    }

    @Override
    protected String getFullyQualifiedCallerName() {
        return SafeLogger.class.getName();
    }
}
