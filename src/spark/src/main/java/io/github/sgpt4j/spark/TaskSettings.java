package io.github.sgpt4j.spark;

import io.github.sgpt4j.spark.partition.EngineSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.spark.SparkEnv;
import org.apache.spark.SparkFiles;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/// What a task makes of the settings that its job was given: the GPUs that Spark assigned to it, the
/// cores of its executor, and where the executor has the model.
final class TaskSettings {
    private static final String GPU = "gpu";
    private static final String CORES = "spark.executor.cores";
    private static final Pattern ORDINAL = Pattern.compile("\\d{1,4}");

    private TaskSettings() {}

    /// For the task that runs in this thread.
    static EngineSettings here(EngineSettings settings) {
        Map<String, ResourceInformation> resources = TaskContext.get().resourcesJMap();
        List<String> gpus =
                resources.containsKey(GPU) ? List.of(resources.get(GPU).addresses()) : List.of();
        int cores = SparkEnv.get().conf().getInt(CORES, 0);
        return of(settings, gpus, cores, Path.of(SparkFiles.getRootDirectory()));
    }

    /// @param gpus addresses that Spark assigned to the task
    /// @param cores of the executor, 0 if Spark was not told
    /// @param files where Spark unpacks files and archives that were sent with the job
    static EngineSettings of(EngineSettings settings, List<String> gpus, int cores, Path files) {
        EngineSettings known = settings.withModel(model(settings.model(), files));
        if (settings.device().equals("auto") && !gpus.isEmpty()) {
            known = known.withDevice(device(gpus));
        }
        return settings.threads() == 0 && cores > 0 ? known.withThreads(cores) : known;
    }

    /// The addresses are numbers of GPUs, as Spark's discovery scripts give them.
    private static String device(List<String> gpus) {
        for (String address : gpus) {
            if (!ORDINAL.matcher(address).matches()) {
                throw new IllegalArgumentException(
                        "resource \"gpu\": expected addresses that are numbers of GPUs, got \"%s\"; set the device instead"
                                .formatted(address));
            }
        }
        return "cuda:" + String.join(",", gpus);
    }

    /// A relative folder is in the task's working folder, or among the files that were sent with the job.
    private static String model(String model, Path files) {
        if (model.isEmpty() || Path.of(model).isAbsolute() || Files.isDirectory(Path.of(model))) {
            return model;
        }
        Path sent = files.resolve(model);
        return Files.isDirectory(sent) ? sent.toString() : model;
    }
}
