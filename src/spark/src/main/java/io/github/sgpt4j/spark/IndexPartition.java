package io.github.sgpt4j.spark;

import io.github.sgpt4j.retrieval.IndexOptions;
import io.github.sgpt4j.retrieval.VectorStorage;
import io.github.sgpt4j.retrieval.passage.PassageOptions;
import io.github.sgpt4j.spark.index.IndexedRow;
import io.github.sgpt4j.spark.index.ShardReport;
import io.github.sgpt4j.spark.index.ShardTask;
import io.github.sgpt4j.spark.partition.EngineSettings;
import io.github.sgpt4j.spark.partition.TokenCounts;
import java.io.IOException;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes the shard of a partition, in a task.
///
/// @param attempts folder of the attempts of all tasks
/// @param cut counts texts that were cut
record IndexPartition(
        EngineSettings settings,
        IndexColumns columns,
        VectorStorage storage,
        int connections,
        int beamWidth,
        boolean optimize,
        boolean truncate,
        String attempts,
        Broadcast<SerializableConfiguration> configuration,
        LongAccumulator cut)
        implements Function2<Integer, Iterator<Row>, Iterator<ShardReport>> {
    private static final Logger LOG = LoggerFactory.getLogger(IndexPartition.class);

    @Override
    public Iterator<ShardReport> call(Integer partition, Iterator<Row> rows) throws IOException {
        if (!rows.hasNext()) {
            return Collections.emptyIterator();
        }
        Path attempt = new Path(
                attempts,
                "attempt-%05d-%d".formatted(partition, TaskContext.get().taskAttemptId()));
        ShardTask task = new ShardTask(
                TaskSettings.here(settings),
                // Rows are embedded as whole documents.
                new IndexOptions(storage, connections, beamWidth, Optional.of(PassageOptions.OFF)),
                optimize,
                truncate,
                attempt);
        return List.of(task.write(
                        partition,
                        new Documents(rows, columns),
                        configuration.value().value(),
                        counts -> report(partition, counts)))
                .iterator();
    }

    private void report(int partition, TokenCounts counts) {
        if (counts.cut() > 0) {
            cut.add(counts.cut());
            LOG.warn("partition {}: {}", partition, counts);
        }
    }

    private record Documents(Iterator<Row> rows, IndexColumns columns) implements Iterator<IndexedRow> {
        @Override
        public boolean hasNext() {
            return rows.hasNext();
        }

        @Override
        public IndexedRow next() {
            return columns.row(rows.next());
        }
    }
}
