package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.cuda.device.DeviceInfo;
import io.github.sgpt4j.backend.cuda.ffi.CublasLt;
import io.github.sgpt4j.backend.cuda.ffi.Driver;
import io.github.sgpt4j.backend.cuda.launch.KeptFiles;
import io.github.sgpt4j.backend.cuda.launch.KernelCache;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Which of the algorithms that cuBLASLt offers for a product is used: the first, unless another one was measured to be
/// faster.
///
/// What was measured is kept in a file by device, versions and arithmetic. A backend reads it when it is opened, and
/// from then on never changes an algorithm, so that equal inputs give equal bits as long as it is open. Nothing is
/// measured unless [#PROPERTY] gives time for it; then it is done when the backend is closed, when nobody waits for
/// results, and takes effect in backends that are opened afterwards. What has been measured once is not measured again.
final class ProductTuning {
    /// System property: seconds that closing a backend may take to measure the products that it was used for.
    static final String PROPERTY = "sgpt4j.cuda.tuneSeconds";

    private static final KeptFiles.Content CONTENT =
            new KeptFiles.Content("measured products", "it is not used", "no later process has them", 8L << 20);

    private final KeptFiles files;
    private final String key;
    private final ProductChoices choices;
    private final Duration time = Duration.ofSeconds(Math.max(0, Integer.getInteger(PROPERTY, 0)));

    ProductTuning(CudaEngine engine, KernelCache kept) {
        DeviceInfo device = engine.device();
        files = kept.files(CONTENT);
        key = KeptFiles.key(List.of(
                ProductChoices.FORM,
                device.name(),
                device.capability(),
                Integer.toString(device.multiprocessors()),
                "driver " + Driver.version(),
                "cuBLASLt " + CublasLt.version(),
                engine.arithmetic().name()));
        choices = kept();
    }

    private ProductChoices kept() {
        Optional<byte[]> bytes = files.get(key);
        Optional<ProductChoices> kept = bytes.flatMap(ProductChoices::parse);
        if (bytes.isPresent() && kept.isEmpty()) {
            files.noticeOther(key);
        }
        return kept.orElseGet(ProductChoices::new);
    }

    /// Whether products are to be measured at the end.
    boolean isOn() {
        return time.isPositive();
    }

    /// How long that may take.
    Duration time() {
        return time;
    }

    /// Whether products of a shape have been measured.
    boolean knows(ProductShape shape) {
        return choices.has(shape);
    }

    /// Which of the algorithms offered for a shape is used.
    byte[] choose(ProductShape shape, List<byte[]> offered) {
        return offered.stream()
                .filter(algorithm -> choices.isChoice(shape, algorithm))
                .findFirst()
                .orElse(offered.getFirst());
    }

    /// Adds to the file what has been measured; what it has already stays.
    void keep(ProductChoices measured) {
        if (measured.size() > 0) {
            ProductChoices all = kept();
            all.addAll(measured);
            files.put(key, all.bytes());
        }
    }
}
