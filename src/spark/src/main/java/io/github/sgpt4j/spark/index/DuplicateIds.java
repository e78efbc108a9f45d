package io.github.sgpt4j.spark.index;

import io.github.sgpt4j.error.FormatException;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;
import scala.Tuple2;

/// Finds ids that occur more than once in all shards together. Within a shard the last document of an id
/// would replace the others, and shards do not see each other: neither is done silently.
///
/// Each attempt writes the ids of its rows beside its shard: 4 bytes of length, then UTF-8.
public final class DuplicateIds {
    private static final String FILE = "ids";
    private static final int MAX_SHOWN = 3;

    /// More than Lucene allows for an id.
    private static final int MAX_BYTES = 1 << 16;

    private DuplicateIds() {}

    /// The file of ids of an attempt.
    static Path file(Path attempt) {
        return new Path(attempt, FILE);
    }

    static void write(OutputStream out, String id) throws IOException {
        byte[] bytes = id.getBytes(StandardCharsets.UTF_8);
        int length = bytes.length;
        out.write(length >>> 24);
        out.write(length >>> 16);
        out.write(length >>> 8);
        out.write(length);
        out.write(bytes);
    }

    /// Compares the ids of all shards, in a job of its own that moves nothing but ids.
    ///
    /// @throws FormatException if an id occurs more than once; it names some
    public static void refuse(
            JavaSparkContext spark, List<ShardReport> shards, Broadcast<SerializableConfiguration> configuration) {
        List<String> folders = shards.stream().map(ShardReport::folder).toList();
        JavaPairRDD<String, Integer> twice = spark.parallelize(folders, Math.max(1, folders.size()))
                .flatMapToPair(new ReadIds(configuration))
                .reduceByKey(Integer::sum)
                .filter(counted -> counted._2() > 1);
        List<Tuple2<String, Integer>> shown = twice.take(MAX_SHOWN);
        if (!shown.isEmpty()) {
            throw new FormatException("ids: expected each to occur once, got "
                    + String.join(
                            ", ",
                            shown.stream()
                                    .map(counted -> "\"%s\" %d times".formatted(counted._1(), counted._2()))
                                    .toList()));
        }
    }

    private record ReadIds(Broadcast<SerializableConfiguration> configuration)
            implements PairFlatMapFunction<String, String, Integer> {
        @Override
        public Iterator<Tuple2<String, Integer>> call(String folder) throws IOException {
            Path file = file(new Path(folder));
            IdFile ids = new IdFile(
                    OutputFiles.of(file, configuration.value().value()).open(file));
            TaskCompletionListener atEnd = _ -> ids.close();
            TaskContext.get().addTaskCompletionListener(atEnd);
            return ids;
        }
    }

    /// The ids of a file, each with the number 1.
    private static final class IdFile implements Iterator<Tuple2<String, Integer>> {
        private final DataInputStream in;
        private int length;

        IdFile(InputStream in) throws IOException {
            this.in = new DataInputStream(new BufferedInputStream(in));
            length = length();
        }

        /// The length of the next id, -1 at the end.
        private int length() throws IOException {
            int first = in.read();
            if (first < 0) {
                return -1;
            }
            int found = first << 24 | in.readUnsignedByte() << 16 | in.readUnsignedShort();
            if (found < 0 || found > MAX_BYTES) {
                throw new IOException("file of ids: expected at most %d bytes, got %d".formatted(MAX_BYTES, found));
            }
            return found;
        }

        @Override
        public boolean hasNext() {
            return length >= 0;
        }

        @Override
        public Tuple2<String, Integer> next() {
            if (length < 0) {
                throw new NoSuchElementException();
            }
            try {
                byte[] bytes = new byte[length];
                in.readFully(bytes);
                length = length();
                return new Tuple2<>(new String(bytes, StandardCharsets.UTF_8), 1);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        void close() {
            try {
                in.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
