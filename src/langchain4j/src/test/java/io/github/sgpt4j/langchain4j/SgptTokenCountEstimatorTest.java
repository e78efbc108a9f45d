package io.github.sgpt4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.image.Image;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.CustomMessage;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelTokenizer;
import io.github.sgpt4j.nano.NanoModel;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SgptTokenCountEstimatorTest {
    private static final ModelTokenizer TOKENIZER = ModelTokenizer.open(NanoModel.directory());
    private static final SgptTokenCountEstimator ESTIMATOR = SgptTokenCountEstimator.of(TOKENIZER);

    private static int tokens(String... texts) {
        int sum = 0;
        for (String text : texts) {
            sum += TOKENIZER.tokenize(text, false).length;
        }
        return sum;
    }

    @Test
    void countsTheModelsTokens() {
        for (String text : List.of("", "a", "a morbid fear of spiders", "Übergröße 🕷️ \n\n end")) {
            assertEquals(tokens(text), ESTIMATOR.estimateTokenCountInText(text));
        }
        try (Model model = Model.open(NanoModel.directory())) {
            assertEquals(
                    tokens("arachnophobia"),
                    SgptTokenCountEstimator.of(model).estimateTokenCountInText("arachnophobia"));
        }
    }

    @Test
    void countsEveryTextOfMessages() {
        ToolExecutionRequest call = ToolExecutionRequest.builder()
                .name("lookup")
                .arguments("{\"word\": \"spider\"}")
                .build();
        Map<ChatMessage, Integer> expected = Map.of(
                SystemMessage.from("answer briefly"), tokens("answer briefly"),
                UserMessage.from(TextContent.from("what is"), TextContent.from("a spider")),
                        tokens("what is", "a spider"),
                AiMessage.from("I look it up", List.of(call)),
                        tokens("I look it up", "lookup", "{\"word\": \"spider\"}"),
                AiMessage.from(call), tokens("lookup", "{\"word\": \"spider\"}"),
                ToolExecutionResultMessage.from(call, "an arachnid"), tokens("an arachnid"));
        expected.forEach((message, tokens) -> assertEquals(tokens, ESTIMATOR.estimateTokenCountInMessage(message)));
        assertEquals(
                expected.values().stream().mapToInt(Integer::intValue).sum(),
                ESTIMATOR.estimateTokenCountInMessages(expected.keySet()));
    }

    @Test
    void refusesWhatIsNoText() {
        Image image = Image.builder().url("https://example.org/spider.png").build();
        Map<ChatMessage, String> messages = Map.of(
                UserMessage.from(TextContent.from("what is this?"), ImageContent.from(image)), "IMAGE",
                AiMessage.builder()
                                .text("here")
                                .attributes(Map.of(AiMessage.GENERATED_IMAGES_KEY, List.of(image)))
                                .build(),
                        "IMAGE",
                CustomMessage.from(Map.of("text", "spider")), "CUSTOM");
        messages.forEach((message, what) -> assertEquals(
                "number of tokens: expected text, got " + what,
                assertThrows(
                                UnsupportedFeatureException.class,
                                () -> ESTIMATOR.estimateTokenCountInMessages(List.of(message)))
                        .getMessage()));
    }
}
