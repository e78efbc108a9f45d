/// Beans of the adapter, made from the properties of an application.
package io.github.sgpt4j.spring.ai.autoconfigure;
