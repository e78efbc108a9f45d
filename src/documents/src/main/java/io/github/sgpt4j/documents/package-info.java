/// Folders of files as documents for search: reading, indexing, watching.
package io.github.sgpt4j.documents;
