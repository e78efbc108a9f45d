/// Words of messages: quoting names of strangers, and names that are alike.
package io.github.sgpt4j.text;
