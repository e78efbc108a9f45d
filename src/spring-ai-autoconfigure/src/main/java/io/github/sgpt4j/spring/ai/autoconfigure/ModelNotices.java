package io.github.sgpt4j.spring.ai.autoconfigure;

import io.github.sgpt4j.Model;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What the log is told of an opened model.
final class ModelNotices {
    private static final Logger LOG = LoggerFactory.getLogger(ModelNotices.class);

    private ModelNotices() {}

    static void tell(Model model) {
        LOG.info("opened {} on {}", model.directory(), model.device());
        model.deviceNotice().ifPresent(notice -> LOG.warn("{}", notice));
        model.notices().forEach(notice -> LOG.warn("{}", notice));
    }
}
