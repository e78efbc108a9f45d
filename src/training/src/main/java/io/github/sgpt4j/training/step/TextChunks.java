package io.github.sgpt4j.training.step;

import io.github.sgpt4j.TrainingDevice;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// Divides texts into chunks of about equal length that are computed at the same time.
public final class TextChunks {
    private TextChunks() {}

    /// Most tokens of which each device has room for the activations of its passes; at least 1.
    ///
    /// @param held bytes of the heap that the training holds for other things
    public static long fitting(List<TrainingDevice> devices, long held) {
        return devices.stream()
                .mapToLong(device -> Math.max(1, device.roomForPasses(held) / device.bytesPerToken()))
                .min()
                .orElseThrow();
    }

    /// Most tokens of a chunk if several devices shall have about the same to do: so many chunks for each.
    ///
    /// @param texts token ids, at least one
    /// @param most tokens of a chunk, whatever the devices
    static int even(List<int[]> texts, int most, int devices) {
        long tokens = texts.stream().mapToLong(ids -> ids.length).sum();
        int longest = texts.stream().mapToInt(ids -> ids.length).max().orElseThrow();
        // A chunk that is not the last lacks less than the longest text.
        long filled = (long) most - longest + 1;
        if (devices == 1 || filled < 1) {
            return most;
        }
        long chunks = devices * Math.ceilDiv(tokens, devices * filled);
        return (int) (Math.ceilDiv(tokens, chunks) + longest - 1);
    }

    /// Divides texts, longest first; those of equal length stay in order.
    ///
    /// @param texts token ids
    /// @param tokens most tokens of a chunk; a longer text is a chunk of its own
    /// @return indices of the texts of each chunk
    public static List<List<Integer>> plan(List<int[]> texts, int tokens) {
        List<Integer> order = IntStream.range(0, texts.size())
                .boxed()
                .sorted(Comparator.comparingInt((Integer i) -> texts.get(i).length)
                        .reversed())
                .toList();
        List<List<Integer>> chunks = new ArrayList<>();
        int filled = 0;
        for (int text : order) {
            int length = texts.get(text).length;
            if (chunks.isEmpty() || filled + length > tokens) {
                chunks.add(new ArrayList<>());
                filled = 0;
            }
            chunks.getLast().add(text);
            filled += length;
        }
        return chunks;
    }
}
