package io.github.sgpt4j.documents.format;

import io.github.sgpt4j.documents.decoding.BinaryContent;
import io.github.sgpt4j.documents.decoding.Encoding;
import io.github.sgpt4j.documents.decoding.EncodingScan;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.Element;
import org.jspecify.annotations.Nullable;

/// Web pages, parsed as browsers do: the text that they show, blocks on lines of their own, without scripts
/// and styles. The title is `<title>`, else the first `<h1>`. The encoding is that of a byte order mark or
/// of the page itself, else UTF-8, else Windows-1252.
final class HtmlReader implements ContentReader {
    @Override
    public Contents open(FileSource source) throws IOException {
        byte[] bytes = source.bytes();
        Document page = parse(source, bytes);
        String text = HtmlText.of(page, source.limits().maxCharacters());
        return Contents.of(Content.of(title(page), text));
    }

    private static Document parse(FileSource source, byte[] bytes) throws IOException {
        Document page = parse(bytes, null);
        Charset declared = page.charset();
        if (!declared.equals(StandardCharsets.UTF_8)) {
            return page;
        }
        // What the page does not declare is taken for UTF-8.
        Encoding encoding = EncodingScan.of(bytes);
        source.tell(encoding);
        return encoding.guessed() ? parse(bytes, encoding.charset().name()) : page;
    }

    private static Document parse(byte[] bytes, @Nullable String charset) throws IOException {
        try {
            return Jsoup.parse(new ByteArrayInputStream(bytes), charset, "");
        } catch (IOException e) {
            throw new BinaryContent(String.valueOf(e.getMessage()));
        }
    }

    private static Optional<String> title(Document page) {
        Optional<String> title = Optional.of(page.title()).filter(found -> !found.isBlank());
        return title.or(() ->
                Optional.ofNullable(page.selectFirst("h1")).map(Element::text).filter(found -> !found.isBlank()));
    }

    /// The text of a part of a page.
    ///
    /// @throws IOException if it is too long
    static String text(String html, int maxCharacters) throws IOException {
        return HtmlText.of(Jsoup.parseBodyFragment(html), maxCharacters);
    }
}
