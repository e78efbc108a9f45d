/// Helpers for messages: quoting untrusted names, and finding similar names.
package io.github.sgpt4j.text;
