package io.github.sgpt4j.training.data;

/// Which sentences stand in a relation to which. First all pairs are added, then [#index] makes them
/// readable.
final class Relations {
    private IntList from = new IntList();
    private IntList to = new IntList();
    private int[] starts = new int[0];
    private int[] counts = new int[0];
    private int[] partners = new int[0];

    void addBoth(int first, int second) {
        add(first, second);
        add(second, first);
    }

    private void add(int sentence, int partner) {
        from.add(sentence);
        to.add(partner);
    }

    /// Sorts the pairs by sentence; a partner counts once.
    ///
    /// @param sentences number of sentences
    void index(int sentences) {
        starts = new int[sentences + 1];
        for (int i = 0; i < from.size(); i++) {
            starts[from.get(i) + 1]++;
        }
        for (int i = 0; i < sentences; i++) {
            starts[i + 1] += starts[i];
        }
        counts = new int[sentences];
        partners = new int[from.size()];
        int[] lastFrom = new int[sentences];
        int[] filled = new int[sentences];
        for (int i = 0; i < from.size(); i++) {
            int sentence = from.get(i);
            partners[starts[sentence] + filled[sentence]++] = to.get(i);
        }
        for (int sentence = 0; sentence < sentences; sentence++) {
            for (int i = starts[sentence]; i < starts[sentence + 1]; i++) {
                int partner = partners[i];
                // Marked with the sentence (counted from 1) that it was last a partner of.
                if (lastFrom[partner] != sentence + 1) {
                    lastFrom[partner] = sentence + 1;
                    partners[starts[sentence] + counts[sentence]++] = partner;
                }
            }
        }
        from = new IntList();
        to = new IntList();
    }

    /// How many partners a sentence has.
    int count(int sentence) {
        return counts[sentence];
    }

    /// A sentence's k-th partner, in order of first occurrence.
    int get(int sentence, int k) {
        return partners[starts[sentence] + k];
    }
}
