package io.github.sgpt4j.tokenizer.step;

import io.github.sgpt4j.tokenizer.collection.IntList;
import java.text.Normalizer;
import java.text.Normalizer.Form;
import java.util.HashMap;
import java.util.Map;

/// Unicode normalization that keeps places, as the crate `unicode-normalization-alignments` does: a
/// code point's decomposition replaces it; then marks are sorted; then a composition absorbs as many
/// of the following code points as it has parts beyond those of decompositions.
///
/// Sorting and composing never swap equal code points, so the part of an output is the next equal one
/// of the input that is not yet used.
final class PlacedForms {
    private final PlacedText text;
    private final Form form;
    /// The new text, and for each code point how many of the old ones it absorbs.
    private final IntList codePoints;
    private final IntList absorbed;

    private PlacedForms(PlacedText text, Form form) {
        this.text = text;
        this.form = form;
        codePoints = new IntList(text.text().length());
        absorbed = new IntList(text.text().length());
    }

    static PlacedText normalize(PlacedText text, Form form) {
        PlacedForms forms = new PlacedForms(text, form);
        String all = text.text();
        int done = 0;
        for (int i = 0; i < all.length(); ) {
            int c = all.codePointAt(i);
            int end = i + Character.charCount(c);
            if (UnicodeForms.isInert(c)) {
                forms.add(all.substring(done, i));
                forms.codePoints.add(c);
                forms.absorbed.add(1);
                done = end;
            }
            i = end;
        }
        forms.add(all.substring(done));
        return text.changed(forms.codePoints, forms.absorbed);
    }

    /// Adds a part of the text that has no inert code points.
    private void add(String part) {
        boolean compatible = form == Form.NFKC || form == Form.NFKD;
        Form decomposing = compatible ? Form.NFKD : Form.NFD;
        Map<Integer, Uses> pieces = new HashMap<>();
        part.codePoints().forEach(c -> {
            String decomposed = Normalizer.normalize(Character.toString(c), decomposing);
            for (int i = 0; i < decomposed.length(); ) {
                int d = decomposed.codePointAt(i);
                pieces.computeIfAbsent(d, key -> new Uses()).absorbed.add(i == 0 ? 1 : 0);
                i += Character.charCount(d);
            }
        });
        Normalizer.normalize(part, form).codePoints().forEach(c -> {
            codePoints.add(c);
            absorbed.add(Normalizer.normalize(Character.toString(c), Form.NFD)
                    .codePoints()
                    .map(d -> next(pieces, d))
                    .sum());
        });
    }

    private int next(Map<Integer, Uses> pieces, int piece) {
        Uses uses = pieces.get(piece);
        if (uses == null || uses.used == uses.absorbed.size()) {
            throw new IllegalStateException("%s of %s: no U+%04X is left".formatted(form, text.text(), piece));
        }
        return uses.absorbed.get(uses.used++);
    }

    /// The occurrences of one code point after decomposition, in order: 1 if it is the first of its
    /// decomposition and so absorbs the old code point, otherwise 0.
    private static final class Uses {
        private final IntList absorbed = new IntList(4);
        private int used;
    }
}
