/// Folders of files as documents for search, and indexes that are kept up to date with them.
// PDFBox's jars have names for modules, but no descriptors.
@SuppressWarnings("requires-automatic")
module io.github.sgpt4j.documents {
    requires com.fasterxml.jackson.databind;
    requires com.fasterxml.jackson.dataformat.csv;
    requires io.github.sgpt4j.engine;
    requires transitive io.github.sgpt4j.retrieval;
    requires java.xml;
    requires org.apache.fontbox;
    requires org.apache.pdfbox;
    requires org.apache.pdfbox.io;
    requires org.commonmark;
    requires org.jsoup;
    requires static org.jspecify;

    exports io.github.sgpt4j.documents;
}
