package io.github.sgpt4j.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.ContentType;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.TokenCountEstimator;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelTokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

/// Counts the tokens of texts exactly, with a model's own tokenizer: to split documents so that no part is
/// cut ([SgptEmbeddingModel#maxTextTokens]). Special tokens, brackets and prompts are not counted. Safe to
/// share between threads.
///
/// The count of a message is that of its texts without a model's thinking, and of the names and arguments
/// of tool calls; the models have no template for chats that could add more. Images and other media are
/// refused.
public final class SgptTokenCountEstimator implements TokenCountEstimator {
    private final ToIntFunction<String> tokens;

    private SgptTokenCountEstimator(ToIntFunction<String> tokens) {
        this.tokens = tokens;
    }

    /// Counts with a tokenizer.
    public static SgptTokenCountEstimator of(ModelTokenizer tokenizer) {
        return new SgptTokenCountEstimator(text -> tokenizer.tokenize(text, false).length);
    }

    /// Counts with the tokenizer of an open model, until it is closed.
    public static SgptTokenCountEstimator of(Model model) {
        return new SgptTokenCountEstimator(text -> model.tokenize(text, false).length);
    }

    @Override
    public int estimateTokenCountInText(String text) {
        return tokens.applyAsInt(text);
    }

    /// Counts the tokens of a message's texts.
    ///
    /// @throws UnsupportedFeatureException if it contains something other than text
    @Override
    public int estimateTokenCountInMessage(ChatMessage message) {
        return texts(message).stream().mapToInt(tokens).reduce(0, Math::addExact);
    }

    /// Counts the tokens of the messages' texts.
    ///
    /// @throws UnsupportedFeatureException if one contains something other than text
    @Override
    public int estimateTokenCountInMessages(Iterable<ChatMessage> messages) {
        int sum = 0;
        for (ChatMessage message : messages) {
            sum = Math.addExact(sum, estimateTokenCountInMessage(message));
        }
        return sum;
    }

    private static List<String> texts(ChatMessage message) {
        return switch (message) {
            case SystemMessage system -> List.of(system.text());
            case UserMessage user -> texts(user.contents());
            case ToolExecutionResultMessage result -> texts(result.contents());
            case AiMessage ai -> texts(ai);
            default -> throw unsupported(message.type());
        };
    }

    private static List<String> texts(List<Content> contents) {
        List<String> texts = new ArrayList<>();
        for (Content content : contents) {
            if (!(content instanceof TextContent text)) {
                throw unsupported(content.type());
            }
            texts.add(text.text());
        }
        return texts;
    }

    private static List<String> texts(AiMessage message) {
        if (!message.images().isEmpty()) {
            throw unsupported(ContentType.IMAGE);
        }
        List<String> texts = new ArrayList<>();
        if (message.text() != null) {
            texts.add(message.text());
        }
        for (ToolExecutionRequest request : message.toolExecutionRequests()) {
            texts.add(request.name());
            if (request.arguments() != null) {
                texts.add(request.arguments());
            }
        }
        return texts;
    }

    private static UnsupportedFeatureException unsupported(Enum<?> type) {
        return new UnsupportedFeatureException("number of tokens: expected text, got " + type);
    }
}
