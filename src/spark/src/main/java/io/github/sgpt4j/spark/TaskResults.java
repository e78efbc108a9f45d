package io.github.sgpt4j.spark;

import io.github.sgpt4j.spark.partition.PartitionResults;
import java.util.Iterator;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.TaskCompletionListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Ties the results of a partition to the task that makes them.
final class TaskResults {
    private static final Logger LOG = LoggerFactory.getLogger(TaskResults.class);

    private TaskResults() {}

    /// Counts inputs that were cut, in Spark's page of the stage. Tasks that run again count again.
    static LongAccumulator cutInputs(SparkSession session) {
        return session.sparkContext().longAccumulator("sgpt4j: inputs cut");
    }

    /// The results, which give the engine back when the task ends, however it ends. What was cut is
    /// counted and logged then.
    static <R> Iterator<R> inTask(PartitionResults<R> results, LongAccumulator cut) {
        TaskCompletionListener atEnd = context -> {
            results.close();
            long number = results.counts().cut();
            if (number > 0) {
                cut.add(number);
                LOG.warn("partition {}: {}", context.partitionId(), results.counts());
            }
        };
        TaskContext.get().addTaskCompletionListener(atEnd);
        return results;
    }
}
