/// Models, embeddings and search of this library behind the interfaces of LangChain4j.
package io.github.sgpt4j.langchain4j;
