package io.github.sgpt4j.documents.format;

import java.io.IOException;
import java.util.Optional;

/// Plain text and source code: the text as it is, without a title.
final class PlainTextReader implements ContentReader {
    @Override
    public Contents open(FileSource source) throws IOException {
        return Contents.of(Content.of(Optional.empty(), source.text()));
    }
}
