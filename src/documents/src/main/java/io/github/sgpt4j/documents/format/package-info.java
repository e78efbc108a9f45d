/// One reader per kind of file.
package io.github.sgpt4j.documents.format;
