package io.github.sgpt4j.spark;

import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.spark.partition.EngineSettings;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.LongAccumulator;

/// A stage of a pipeline that computes with a model: what all such stages are told.
///
/// All tasks of an executor share one engine for equal settings. It is opened when the first row with
/// an input arrives, and stays open for later tasks and stages until another model is needed.
///
/// @param <T> the stage's own class
public abstract class EngineTransformer<T extends EngineTransformer<T>> extends Transformer
        implements DefaultParamsWritable {
    private static final long serialVersionUID = 1L;

    private final String uid;
    private final Param<String> model;
    private final Param<String> device;
    private final Param<String> dtype;
    private final IntParam batchTokens;
    private final IntParam threads;
    private final BooleanParam truncate;
    private final Param<String> outputCol;

    /// @param uid identifies the stage
    EngineTransformer(String uid) {
        this.uid = uid;
        // Parameters know the stage's uid, so they are made after it.
        model = new Param<>(this, "model", "folder of the checkpoint on each executor, empty for the built-in model");
        device = new Param<>(
                this, "device", "auto (the GPU that Spark assigned to the task, if any), cpu or cuda[:N[,N...]]");
        dtype = new Param<>(this, "dtype", "how weights are kept: auto, fp32, tf32, bf16, fp16 or fp8");
        batchTokens = new IntParam(
                this, "batchTokens", "maximum tokens computed at the same time, 0 for what suits the device");
        threads = new IntParam(
                this,
                "threads",
                "CPU threads of an executor's engine, 0 for spark.executor.cores or one per processor");
        truncate = new BooleanParam(
                this, "truncate", "whether inputs that are too long are cut; otherwise they are an error");
        outputCol = new Param<>(this, "outputCol", "column that is added for the results");
        setDefault(model, "");
        setDefault(device, "auto");
        setDefault(dtype, "auto");
        setDefault(batchTokens, 0);
        setDefault(threads, 0);
        setDefault(truncate, true);
    }

    @Override
    public String uid() {
        return uid;
    }

    /// Folder of the checkpoint on each executor.
    public Param<String> model() {
        return model;
    }

    /// Where the engine computes.
    public Param<String> device() {
        return device;
    }

    /// How weights are kept.
    public Param<String> dtype() {
        return dtype;
    }

    /// Maximum tokens computed at the same time.
    public IntParam batchTokens() {
        return batchTokens;
    }

    /// CPU threads of an executor's engine.
    public IntParam threads() {
        return threads;
    }

    /// Whether inputs that are too long are cut.
    public BooleanParam truncate() {
        return truncate;
    }

    /// Column that is added for the results.
    public Param<String> outputCol() {
        return outputCol;
    }

    abstract T self();

    <V> T with(Param<V> param, V value) {
        set(param, value);
        return self();
    }

    /// Sets the folder of the checkpoint on each executor: absolute, or relative to the working folder or
    /// to what `--archives` unpacks. Empty, the default, for the built-in model.
    public T setModel(String value) {
        return with(model, value);
    }

    /// Sets where the engine computes. `auto`, the default, is the GPU that Spark assigned to the task
    /// (`spark.task.resource.gpu.amount`); if it assigned none, as [ModelOptions#withDevice].
    ///
    /// @throws IllegalArgumentException if it has another form
    public T setDevice(String value) {
        return with(device, ModelOptions.DEFAULT.withDevice(value).device());
    }

    /// Sets how weights are kept, such as `bf16`.
    ///
    /// @throws IllegalArgumentException if no type has that name
    public T setDtype(String value) {
        return with(dtype, Dtype.parse(value).toString());
    }

    /// Sets the maximum of tokens computed at the same time; 0, the default, for what suits the device.
    ///
    /// @throws IllegalArgumentException if negative
    public T setBatchTokens(int value) {
        return with(batchTokens, EngineSettings.DEFAULT.withBatchTokens(value).batchTokens());
    }

    /// Sets the CPU threads of an executor's engine; 0, the default, for `spark.executor.cores`, or one
    /// per processor if Spark was not told.
    ///
    /// @throws IllegalArgumentException if negative or more than [ModelOptions#MAX_THREADS]
    public T setThreads(int value) {
        return with(threads, EngineSettings.DEFAULT.withThreads(value).threads());
    }

    /// Sets whether inputs that are too long are cut, which is the default; otherwise they are an error.
    /// What was cut is logged by each task, and counted in the stage's accumulator `sgpt4j: inputs cut`.
    public T setTruncate(boolean value) {
        return with(truncate, value);
    }

    /// Sets the column that is added for the results.
    public T setOutputCol(String value) {
        return with(outputCol, value);
    }

    EngineSettings settings() {
        return new EngineSettings(
                getOrDefault(model),
                getOrDefault(device),
                getOrDefault(dtype),
                (Integer) getOrDefault(batchTokens),
                (Integer) getOrDefault(threads));
    }

    boolean cuts() {
        return (Boolean) getOrDefault(truncate);
    }

    /// A parameter that has no default.
    ///
    /// @throws IllegalArgumentException if it was not set
    String required(Param<String> param) {
        if (!isDefined(param)) {
            throw new IllegalArgumentException("%s: expected %s to be set".formatted(uid, param.name()));
        }
        return getOrDefault(param);
    }

    /// What is done with each partition.
    ///
    /// @param schema of the rows
    /// @param cut counts inputs that were cut
    abstract MapPartitionsFunction<Row, Row> function(StructType schema, LongAccumulator cut);

    @Override
    public Dataset<Row> transform(Dataset<?> dataset) {
        StructType output = transformSchema(dataset.schema());
        LongAccumulator cut = TaskResults.cutInputs(dataset.sparkSession());
        return dataset.toDF().mapPartitions(function(dataset.schema(), cut), Encoders.row(output));
    }

    @Override
    public T copy(ParamMap extra) {
        return defaultCopy(extra);
    }
}
