/// The files of a folder: which are read, and which were read before.
package io.github.sgpt4j.documents.folder;
