package io.github.sgpt4j.documents.format;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.pdfbox.cos.COSName;
import org.apache.pdfbox.cos.COSStream;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.PDPageContentStream;
import org.apache.pdfbox.pdmodel.PDResources;
import org.apache.pdfbox.pdmodel.common.PDRectangle;
import org.apache.pdfbox.pdmodel.common.PDStream;
import org.apache.pdfbox.pdmodel.encryption.AccessPermission;
import org.apache.pdfbox.pdmodel.encryption.StandardProtectionPolicy;
import org.apache.pdfbox.pdmodel.font.PDType1Font;
import org.apache.pdfbox.pdmodel.font.Standard14Fonts;
import org.apache.pdfbox.pdmodel.graphics.form.PDFormXObject;

/// Makes small files of formats that are no text.
public final class SampleFiles {
    private static final String WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";

    private SampleFiles() {}

    /// Compressed bytes.
    public static byte[] gzip(byte[] bytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }

    /// A Word document with a body as WordprocessingML, and a title in its properties if it is not empty.
    public static byte[] docx(String title, String body) throws IOException {
        Map<String, String> parts = new LinkedHashMap<>();
        parts.put("[Content_Types].xml", "<Types/>");
        parts.put(
                "word/document.xml",
                "<w:document xmlns:w=\"%s\" xmlns:mc=\"mc\"><w:body>%s</w:body></w:document>".formatted(WORD, body));
        if (!title.isEmpty()) {
            parts.put(
                    "docProps/core.xml",
                    "<cp:coreProperties xmlns:cp=\"cp\" xmlns:dc=\"dc\"><dc:title>%s</dc:title></cp:coreProperties>"
                            .formatted(title));
        }
        return zip(parts);
    }

    /// A zip file of texts.
    public static byte[] zip(Map<String, String> parts) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            for (Map.Entry<String, String> part : parts.entrySet()) {
                zip.putNextEntry(new ZipEntry(part.getKey()));
                zip.write(part.getValue().getBytes(StandardCharsets.UTF_8));
                zip.closeEntry();
            }
        }
        return out.toByteArray();
    }

    /// A PDF file with a page per text.
    ///
    /// @param password that opens it; empty for none
    public static void pdf(Path file, String title, String password, String... pages) throws IOException {
        BundledFont.use();
        try (PDDocument document = new PDDocument()) {
            for (String text : pages) {
                PDPage page = new PDPage();
                document.addPage(page);
                try (PDPageContentStream content = new PDPageContentStream(document, page)) {
                    content.beginText();
                    content.setFont(new PDType1Font(Standard14Fonts.FontName.HELVETICA), 12);
                    content.newLineAtOffset(50, 700);
                    content.showText(text);
                    content.endText();
                }
            }
            document.getDocumentInformation().setTitle(title);
            if (!password.isEmpty()) {
                StandardProtectionPolicy policy =
                        new StandardProtectionPolicy("owner", password, new AccessPermission());
                policy.setEncryptionKeyLength(128);
                document.protect(policy);
            }
            document.save(file.toFile());
        }
    }

    /// A small PDF file whose page draws 10 forms, each of which draws 10, and so on.
    public static void endlessPdf(Path file, int levels) throws IOException {
        BundledFont.use();
        try (PDDocument document = new PDDocument()) {
            PDFormXObject inner = form(document, "BT /F 12 Tf (x) Tj ET\n");
            inner.getResources().put(COSName.getPDFName("F"), new PDType1Font(Standard14Fonts.FontName.HELVETICA));
            for (int i = 0; i < levels; i++) {
                PDFormXObject outer = form(document, "/X Do\n".repeat(10));
                outer.getResources().put(COSName.getPDFName("X"), inner);
                inner = outer;
            }
            PDPage page = new PDPage();
            page.setResources(new PDResources());
            page.getResources().put(COSName.getPDFName("X"), inner);
            COSStream content = document.getDocument().createCOSStream();
            try (var out = content.createOutputStream(COSName.FLATE_DECODE)) {
                out.write("/X Do\n".getBytes(StandardCharsets.US_ASCII));
            }
            page.setContents(new PDStream(content));
            document.addPage(page);
            document.save(file.toFile());
        }
    }

    private static PDFormXObject form(PDDocument document, String operators) throws IOException {
        PDFormXObject form = new PDFormXObject(document);
        try (var out = form.getCOSObject().createOutputStream(COSName.FLATE_DECODE)) {
            out.write(operators.getBytes(StandardCharsets.US_ASCII));
        }
        form.setBBox(new PDRectangle(600, 800));
        form.setResources(new PDResources());
        return form;
    }
}
