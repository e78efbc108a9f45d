/// Kinds of files, told by their names.
package io.github.sgpt4j.documents.kind;
