package io.github.sgpt4j.langchain4j;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/// What this module's log gets meanwhile.
final class LoggedWarnings extends Handler implements AutoCloseable {
    private final List<String> messages = new CopyOnWriteArrayList<>();

    /// Kept here: the platform forgets a logger that nobody holds.
    private final Logger logger = Logger.getLogger(CutTexts.class.getPackageName());

    private LoggedWarnings() {}

    static LoggedWarnings watch() {
        LoggedWarnings handler = new LoggedWarnings();
        handler.logger.addHandler(handler);
        handler.logger.setUseParentHandlers(false);
        return handler;
    }

    List<String> messages() {
        return List.copyOf(messages);
    }

    @Override
    public void publish(LogRecord record) {
        messages.add(record.getMessage());
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        logger.setUseParentHandlers(true);
        logger.removeHandler(this);
    }
}
