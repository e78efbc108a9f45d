package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What holds for every page that is a report.
final class ReportPages {
    private static final Pattern SCRIPT = Pattern.compile("<script>(.*?)</script>", Pattern.DOTALL);
    private static final Pattern TAG = Pattern.compile("<([a-z][a-z0-9]*)[ >]");

    private ReportPages() {}

    /// It needs no other file, runs its own script only, and closes what it opens.
    static void check(String html) {
        String lower = html.toLowerCase(Locale.ROOT);
        for (String loading :
                new String[] {"src=", "href=", "@import", "url(", "<link", "<iframe", "<img", "http://"}) {
            assertFalse(lower.contains(loading), loading);
        }
        assertEquals(1, lower.split("<script", -1).length - 1, "scripts");
        Matcher script = SCRIPT.matcher(html);
        assertTrue(script.find());
        assertTrue(html.contains(
                "script-src 'sha256-%s'".formatted(sha256(script.group(1))).replace("'", "&#39;")));
        Matcher tags = TAG.matcher(html);
        while (tags.find()) {
            String tag = tags.group(1);
            if (!tag.equals("meta")) {
                assertEquals(html.split("<" + tag + "[ >]", -1).length, html.split("</" + tag + ">", -1).length, tag);
            }
        }
        assertTrue(html.startsWith("<!DOCTYPE html>") && html.contains("<html lang=\"en\">"));
        assertTrue(html.contains("prefers-color-scheme: dark"));
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
