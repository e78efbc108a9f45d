package io.github.sgpt4j.cli.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/// The page around a report: a title, sections, tables that can be sorted, and how the report was made. The
/// browser is told to load nothing and to run no script but the one that sorts.
public final class ReportPage {
    private final Html body = new Html();
    private final String title;

    public ReportPage(String title) {
        this.title = title;
    }

    /// Where sections are added.
    public Html body() {
        return body;
    }

    /// Adds a table whose columns can be sorted.
    ///
    /// @param caption what it shows
    /// @param columns headings; those of numbers start with `#`, which is not shown
    /// @param rows cells of each row, as many as columns
    public void table(String caption, List<String> columns, List<List<String>> rows) {
        // A table that is wider than the page is scrolled, also by the keyboard.
        body.open("div", "class", "wide", "tabindex", "0", "role", "region", "aria-label", caption);
        body.open("table");
        body.element("caption", caption);
        body.open("thead").open("tr");
        for (String column : columns) {
            body.open("th", "scope", "col", "class", isNumber(column) ? "number" : "words");
            body.element("button", isNumber(column) ? column.substring(1) : column, "type", "button");
            body.close("th");
        }
        body.close("tr").close("thead").open("tbody");
        for (List<String> row : rows) {
            body.open("tr");
            for (int i = 0; i < row.size(); i++) {
                if (isNumber(columns.get(i))) {
                    body.element("td", row.get(i), "class", "number");
                } else if (i == 0) {
                    body.element("th", row.get(i), "scope", "row", "dir", "auto");
                } else {
                    body.element("td", row.get(i), "dir", "auto");
                }
            }
            body.close("tr");
        }
        body.close("tbody").close("table").close("div");
    }

    private static boolean isNumber(String column) {
        return column.startsWith("#");
    }

    /// Adds what is needed to repeat the work.
    ///
    /// @param facts by name
    public void facts(Map<String, String> facts) {
        body.open("section").element("h2", "How this was made").open("dl");
        facts.forEach((name, value) -> body.element("dt", name).element("dd", value, "dir", "auto"));
        body.close("dl").close("section");
    }

    /// The whole file.
    public byte[] bytes() {
        String script = resource("report.js");
        Html page = new Html();
        page.raw("<!DOCTYPE html>\n")
                .open("html", "lang", "en")
                .open("head")
                .open("meta", "charset", "utf-8")
                .open(
                        "meta",
                        "http-equiv",
                        "Content-Security-Policy",
                        "content",
                        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-%s'; base-uri 'none'"
                                        .formatted(sha256(script))
                                + "; form-action 'none'")
                .open("meta", "name", "viewport", "content", "width=device-width, initial-scale=1")
                .element("title", title)
                .open("style")
                .raw(resource("report.css"))
                .close("style")
                .close("head")
                .open("body")
                .open("main")
                .element("h1", title)
                .raw(body.toString())
                .close("main")
                .open("script")
                .raw(script)
                .close("script")
                .close("body")
                .close("html");
        return page.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static String resource(String name) {
        try (InputStream in = ReportPage.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException(name + " is missing in sgpt's own files");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String sha256(String text) {
        try {
            return Base64.getEncoder()
                    .encodeToString(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
